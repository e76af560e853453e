"""References that are not counted.

numba counts references to arrays at every hand-over between functions, with atomic instructions that cost more than
the work of a typical rule. An entry therefore *borrows* its state: the same arrays, without the counters,
which is safe because its caller holds them for as long as it runs.
"""

from typing import Any

from numba.core import cgutils, types
from numba.core.imputils import impl_ret_untracked
from numba.extending import intrinsic, overload
from numba.np.arrayobj import make_array


def _uncounted(context: Any, builder: Any, kind: types.Type, value: Any) -> Any:
    if isinstance(kind, types.Array):
        array = make_array(kind)(context, builder, value)  # type: ignore[no-untyped-call]
        array.meminfo = cgutils.get_null_value(array.meminfo.type)  # type: ignore[no-untyped-call]
        array.parent = cgutils.get_null_value(array.parent.type)  # type: ignore[no-untyped-call]
        return array._getvalue()
    if isinstance(kind, types.BaseTuple):
        for i, part in enumerate(kind.types):  # type: ignore[attr-defined]
            inner = _uncounted(context, builder, part, builder.extract_value(value, i))
            value = builder.insert_value(value, inner, i)
    return value


@intrinsic
def _borrow(typing: Any, state: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value = _uncounted(context, builder, signature.args[0], args[0])
        return impl_ret_untracked(context, builder, signature.return_type, value)  # type: ignore[no-untyped-call]

    return state(state), generate


def borrow(state: Any) -> Any:
    """The same array or (nested) named tuple of arrays, uncounted; only valid while the caller holds it."""
    return state


@overload(borrow)
def _overload_borrow(state: Any) -> Any:
    def uncounted(state: Any) -> Any:
        return _borrow(state)  # type: ignore[call-arg]  # numba passes the context

    return uncounted
