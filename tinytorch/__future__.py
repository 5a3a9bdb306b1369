"""``torch.__future__``: two switches for how ``Module.to`` changes parameters. Here it always keeps the Parameter."""

__all__ = ["get_overwrite_module_params_on_conversion", "get_swap_module_params_on_conversion",
           "set_overwrite_module_params_on_conversion", "set_swap_module_params_on_conversion"]  # fmt: skip


def get_overwrite_module_params_on_conversion() -> bool:
    """False: a converted module has the same Parameter objects."""
    return False


def set_overwrite_module_params_on_conversion(value: bool) -> None:
    """NotImplementedError for True."""
    if value:
        raise NotImplementedError("Module.to() keeps its Parameter objects: the optimizer goes on seeing them")


def get_swap_module_params_on_conversion() -> bool:
    """False: a Parameter gets new data, and is not exchanged with another."""
    return False


def set_swap_module_params_on_conversion(value: bool) -> None:
    """NotImplementedError for True."""
    if value:
        raise NotImplementedError("Module.to() gives its parameters new data, and exchanges none")
