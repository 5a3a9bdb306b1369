"""``torch.__future__``: two switches for how ``Module.to`` changes parameters. Here it always keeps the Parameter."""

__all__ = ["get_overwrite_module_params_on_conversion", "get_swap_module_params_on_conversion",
           "set_overwrite_module_params_on_conversion", "set_swap_module_params_on_conversion"]  # fmt: skip

_swaps = False


def get_overwrite_module_params_on_conversion() -> bool:
    """False: a converted module has the same Parameter objects."""
    return False


def set_overwrite_module_params_on_conversion(value: bool) -> None:
    """NotImplementedError for True."""
    if value:
        raise NotImplementedError("Module.to() keeps its Parameter objects: the optimizer goes on seeing them")


def get_swap_module_params_on_conversion() -> bool:
    """What :func:`set_swap_module_params_on_conversion` was called with last."""
    return _swaps


def set_swap_module_params_on_conversion(value: bool) -> None:
    """Whether ``Module.to`` and ``load_state_dict`` exchange the content of a Parameter with that of a new one.

    Nothing depends on it here: whether exchanged or given new data, the Parameter is the same object with new values.
    """
    global _swaps
    _swaps = bool(value)
