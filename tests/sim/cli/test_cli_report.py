"""`cswap report`: a result's folder becomes a page."""

from __future__ import annotations

from pathlib import Path

from cli_kit import good, refused


def test_a_folder_becomes_a_page(tmp_path: Path) -> None:
    out, file = tmp_path / "mine", tmp_path / "page.html"
    good("run", "bell:events=400,slots=50", "-a", "zsmalloc", "--out", out)
    assert str(file) in good("report", out, "-o", file)
    assert "<h1>mine</h1>" in file.read_text()
    file.write_text("something else")
    assert "is no report of cswap" in refused("report", out, "-o", file)
    assert "no provenance.json" in refused("report", tmp_path, "-o", tmp_path / "other.html")
