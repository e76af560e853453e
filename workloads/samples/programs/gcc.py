"""A compiler at work: g++ -O2 -g on one large generated C++ file. Run `python gcc.py [CLASSES]`."""

import random
import subprocess
import sys
import tempfile
from pathlib import Path

HEAD = """
#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>
"""

# One class: containers of its own types are instantiated, and its methods differ in constants and in shape.
CLASS = """
struct {name}Key {{ int major; {number} minor; bool operator<(const {name}Key& o) const {{
    return major != o.major ? major < o.major : minor < o.minor; }} }};
struct {name} {{
    std::map<{name}Key, std::vector<std::string>> table;
    std::unordered_map<std::string, std::unique_ptr<{name}Key>> index;
    std::vector<std::variant<int, double, std::string, {name}Key>> log;
    void add(int i, const std::string& text) {{
        auto& row = table[{name}Key{{i % {modulus}, {number}(i) * {factor}}}];
        row.push_back(text + "{word}");
        std::sort(row.begin(), row.end(), [](const auto& a, const auto& b) {{ return a.size() {order} b.size(); }});
        index[text] = std::make_unique<{name}Key>({name}Key{{i, {number}(i)}});
        if (i % {every} == 0) log.emplace_back({name}Key{{i, {number}(i)}}); else log.emplace_back(text);
    }}
    {number} total() const {{
        {number} sum = 0;
        for (const auto& [key, row] : table)
            sum += std::accumulate(row.begin(), row.end(), key.minor, [](auto s, const auto& t) {{
                return s {operation} {number}(t.size()); }});
        for (const auto& entry : log)
            sum += std::visit([](const auto& e) -> {number} {{
                using E = std::decay_t<decltype(e)>;
                if constexpr (std::is_same_v<E, std::string>) return {number}(e.size());
                else if constexpr (std::is_same_v<E, {name}Key>) return e.minor;
                else return {number}(e);
            }}, entry);
        return sum;
    }}
}};
"""

MAIN = """
int main(int argc, char** argv) {{
    double sum = 0;
{calls}
    return int(sum) & 1;
}}
"""


def source(classes: int, seed: int = 1) -> str:
    """The text of a program with that many classes."""
    rng = random.Random(seed)
    words = ["alpha", "river", "stone", "cloud", "ember", "maple", "quartz", "velvet"]
    names = [f"{rng.choice(words).title()}{rng.choice(words).title()}{i}" for i in range(classes)]
    parts = [
        CLASS.format(
            name=name,
            number=rng.choice(["int", "long", "double", "unsigned", "float"]),
            modulus=rng.randrange(3, 997),
            factor=rng.randrange(2, 99),
            word=rng.choice(words),
            order=rng.choice("<>"),
            every=rng.randrange(2, 17),
            operation=rng.choice("+-"),
        )
        for name in names
    ]
    calls = "".join(
        f"    {{ {name} x; for (int i = 0; i < argc; ++i) x.add(i, argv[i]); sum += double(x.total()); }}\n"
        for name in names
    )
    return HEAD + "".join(parts) + MAIN.format(calls=calls)


def main() -> None:
    """Compile, and throw the object file away."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "classes.cpp"
        file.write_text(source(int(sys.argv[1]) if len(sys.argv) > 1 else 16))
        subprocess.run(["g++", "-std=c++17", "-O2", "-g", "-c", file, "-o", file.with_suffix(".o")], check=True)


main()
