"""The check that scikit-learn binds for boosting of categories, and what is nearly it."""

from calls import Call, Global, Hostile, code, file, made


def bound_checks() -> list[Hostile]:
    """Files with nearly the check that scikit-learn binds for boosting of categories: only that itself is allowed."""
    check, bind = Global("sklearn.utils.validation", "check_array"), Global("functools", "partial")
    other = Global("_codecs", "encode")
    bound = code(Call(bind, (check,)))
    settings = b"}" + code("dtype") + b"]" + code(Global("numpy", "float64")) + b"as"
    settings += code("ensure_all_finite") + b"\x89s"

    def built(function=check, arguments=b")", settings=settings, attributes=b"N"):
        return bound + b"(" + code(function) + arguments + settings + attributes + b"tb"

    def held(by: bytes, name="func") -> bytes:
        return made("sklearn.preprocessing._function_transformer", "FunctionTransformer", b"}" + code(name) + by + b"s")

    contents = {
        "a check is called": file(Call(check, ([],))),
        "a check that is not bound": held(code(check)),
        "a check without its settings": held(bound),
        "another function is bound": held(code(Call(bind, (other,)))),
        "rows are bound": held(code(Call(bind, (check, 1)))),
        "a bound check is bound": held(code(Call(bind, (Call(bind, (check,)),)))),
        "another function in the state": held(built(function=other)),
        "a bound check in the state": held(built(function=Call(bind, (check,)))),
        "rows in the state": held(built(arguments=code((1,)))),
        "attributes of a bound check": held(built(attributes=b"}")),
        "another setting of a check": held(built(settings=settings + code("copy") + b"\x88s")),
        "an estimator in the settings": held(
            built(settings=settings.replace(b"\x89", code(Global("sklearn.pipeline", "Pipeline")) + b")\x81"))
        ),
        "another type to check for": held(built(settings=settings.replace(b"float64", b"float32"))),
        "settings that are no dictionary": held(built(settings=b"]")),
        "a second state of a check": held(built() + b"(" + code(check) + b")" + settings + b"Ntb"),
        "a check as the inverse": held(built(), "inverse_func"),
        "a check as another attribute": held(built(), "predict"),
        "settings beside a check": held(built() + b"s" + code("kw_args") + b"}"),
        "a check made, not bound": held(code(bind) + code(check) + b"\x85\x81"),
    }
    return [Hostile(name, "model.joblib", content, "refused_state") for name, content in contents.items()]
