"""What a model file may name: exact names, kept by the server, each for what is said here. All else is refused.

A name is a module and one identifier in it. Nothing in this list calls what it is given, looks up a name, imports,
or opens a file. Where an older library spelt a name otherwise, the old spelling stands for the name of today.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Name:
    """A name as a file gives it."""

    module: str
    attribute: str

    def __str__(self) -> str:
        return f"{self.module}.{self.attribute}"


def _names(of_modules: dict[str, str]) -> frozenset[Name]:
    return frozenset(Name(module, name) for module, names in of_modules.items() for name in names.split())


ARRAY = Name("numpy", "ndarray")
DTYPE = Name("numpy", "dtype")
RECONSTRUCT = Name("numpy._core.multiarray", "_reconstruct")
SCALAR = Name("numpy._core.multiarray", "scalar")
FROM_BUFFER = Name("numpy._core.numeric", "_frombuffer")
WRAPPER = Name("joblib.numpy_pickle", "NumpyArrayWrapper")
ENCODE = Name("_codecs", "encode")
BYTES = Name("builtins", "bytes")
SLICE = Name("builtins", "slice")
ORDERED = Name("collections", "OrderedDict")
DEFAULTS = Name("collections", "defaultdict")
BUNCH = Name("sklearn.utils._bunch", "Bunch")
DATE = Name("datetime", "date")
TREE = Name("sklearn.tree._tree", "Tree")
FUNCTION = Name("sklearn.preprocessing._function_transformer", "FunctionTransformer")
BOOSTER = Name("lightgbm.basic", "Booster")
SPECIALIST = Name("flight_delay.model.features", "Specialist")
PARTIAL = Name("functools", "partial")
CHECK = Name("sklearn.utils.validation", "check_array")

TYPES = _names(
    {
        "collections": "OrderedDict",  # what LightGBM's defaultdict makes
        "numpy": "ndarray float64 float32 int64 int32 uint8 bool",  # of an array; the `dtype` of an encoder
    }
)
"""Classes that may be a value by themselves: an argument, or in a state."""

LOSSES = _names(
    {
        "sklearn._loss._loss": (
            "CyAbsoluteError CyHalfGammaLoss CyHalfPoissonLoss CyHalfSquaredError"
            " CyHalfTweedieLoss CyHalfTweedieLossIdentity CyHuberLoss CyPinballLoss"
        )
    }
)
"""The compiled part of a loss; called with nothing or with one number."""

CALLS = LOSSES | {
    # numpy: an array, its type, a number of such a type
    RECONSTRUCT,
    FROM_BUFFER,
    DTYPE,
    SCALAR,
    # bytes, as protocol 2 writes them
    ENCODE,
    BYTES,
    # the columns of a ColumnTransformer, the scores of LightGBM
    SLICE,
    ORDERED,
    DEFAULTS,
    # the trees of scikit-learn
    TREE,
    # the state of this project's own classes
    DATE,
    SPECIALIST,
}
"""What may be called; `examine` has a rule for what each is called with."""

RECORDS = _names(
    {
        "flight_delay.airports": "Airport",
        "flight_delay.model.network_state": "Habit",
        "flight_delay.model.split": "Span",
    }
)
"""Named tuples: made of their fields."""

MAPPINGS = frozenset({ORDERED, DEFAULTS, BUNCH})
"""Dictionaries that are filled after they were made."""

CLASSES = RECORDS | _names(
    {
        # the container in which joblib writes an array
        "joblib.numpy_pickle": "NumpyArrayWrapper",
        # what `flight-delay train` writes
        "flight_delay.model.distribution": "Residuals",
        "flight_delay.model.features": "Codes",
        "flight_delay.model.pipeline": "DelayBySpecialist FlightFeatures",
        "flight_delay.model.specialist": "Fitted",
        # LightGBM
        "lightgbm.basic": "Booster",
        "lightgbm.sklearn": "LGBMRegressor",
        # how estimators are put together
        "sklearn.pipeline": "Pipeline FeatureUnion",
        "sklearn.compose._column_transformer": "ColumnTransformer",
        "sklearn.utils._bunch": "Bunch",  # the estimators of a VotingRegressor by name
        # transformers
        "sklearn.impute._base": "SimpleImputer MissingIndicator",
        "sklearn.preprocessing._data": "StandardScaler MinMaxScaler MaxAbsScaler RobustScaler",
        "sklearn.preprocessing._encoders": "OneHotEncoder OrdinalEncoder",
        "sklearn.preprocessing._target_encoder": "TargetEncoder",
        "sklearn.preprocessing._polynomial": "PolynomialFeatures",
        "sklearn.preprocessing._function_transformer": "FunctionTransformer",  # `passthrough`; without a function
        # linear regressors
        "sklearn.linear_model._base": "LinearRegression",
        "sklearn.linear_model._ridge": "Ridge RidgeCV",
        "sklearn.linear_model._coordinate_descent": "Lasso LassoCV ElasticNet ElasticNetCV",
        "sklearn.linear_model._bayes": "BayesianRidge ARDRegression",
        "sklearn.linear_model._huber": "HuberRegressor",
        "sklearn.linear_model._stochastic_gradient": "SGDRegressor",
        "sklearn.linear_model._theil_sen": "TheilSenRegressor",
        "sklearn.linear_model._quantile": "QuantileRegressor",
        "sklearn.linear_model._least_angle": "Lars LarsCV LassoLars LassoLarsCV LassoLarsIC",
        "sklearn.linear_model._omp": "OrthogonalMatchingPursuit OrthogonalMatchingPursuitCV",
        "sklearn.linear_model._glm.glm": "PoissonRegressor GammaRegressor TweedieRegressor",
        "sklearn.svm._classes": "LinearSVR",
        "sklearn.dummy": "DummyRegressor",
        # trees, and what is made of them
        "sklearn.tree._classes": "DecisionTreeRegressor ExtraTreeRegressor",
        "sklearn.ensemble._forest": "RandomForestRegressor ExtraTreesRegressor",
        "sklearn.ensemble._gb": "GradientBoostingRegressor",
        "sklearn.ensemble._bagging": "BaggingRegressor",
        "sklearn.ensemble._voting": "VotingRegressor",
        "sklearn.ensemble._hist_gradient_boosting.gradient_boosting": "HistGradientBoostingRegressor",
        "sklearn.ensemble._hist_gradient_boosting.binning": "_BinMapper",
        "sklearn.ensemble._hist_gradient_boosting.predictor": "TreePredictor",
        # the losses that boosted trees and generalised linear models keep
        "sklearn._loss.link": "IdentityLink LogLink Interval",
        "sklearn._loss.loss": (
            "AbsoluteError HalfGammaLoss HalfPoissonLoss HalfSquaredError"
            " HalfTweedieLoss HalfTweedieLossIdentity HuberLoss PinballLoss"
        ),
    }
)
"""What may be made without a call of `__init__`, and then given a state."""

STAND_INS = _names(
    {
        "numpy.random._pickle": "__bit_generator_ctor __generator_ctor __randomstate_ctor",
        "numpy.random.bit_generator": "SeedSequence __pyx_unpickle_SeedSequence",
        "numpy.random._mt19937": "MT19937",
        "numpy.random._pcg64": "PCG64",
        "numpy.random._philox": "Philox",
        "numpy.random._sfc64": "SFC64",
    }
)
"""Random generators: only fitting needs them, so they are never made; something without effect takes their place."""

CHECKING = frozenset({PARTIAL, CHECK})
"""The check of numbers that histogram boosting of categories keeps; what a file has of it is compared, never used."""

_OLD_MODULES = {
    "numpy._core.multiarray": "numpy.core.multiarray",
    "numpy._core.numeric": "numpy.core.numeric",
    "builtins": "__builtin__",
}
_TODAY = CALLS | CLASSES | TYPES | STAND_INS | CHECKING
_ALLOWED = {name: name for name in _TODAY} | {
    Name(_OLD_MODULES[name.module], name.attribute): name for name in _TODAY if name.module in _OLD_MODULES
}


def allowed(module: str, attribute: str) -> Name | None:
    """Return the name of today of what a file names; None where no model needs it."""
    return _ALLOWED.get(Name(module, attribute))
