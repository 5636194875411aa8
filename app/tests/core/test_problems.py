import pytest
from psycopg import errors as pg
from sqlalchemy.exc import DBAPIError

from inventory.core.problems import database_problem


@pytest.mark.parametrize(
    ("cause", "status", "expected"),
    [
        (pg.NumericValueOutOfRange(), 409, "number-too-large"),
        (pg.InvalidTextRepresentation(), 422, "invalid-value"),
        (pg.UniqueViolation(), 409, "already-exists"),
        (pg.ForeignKeyViolation(), 409, "in-use"),
        (pg.QueryCanceled(), 503, "database-busy"),
        (pg.LockNotAvailable(), 503, "database-busy"),
        (pg.DeadlockDetected(), 503, "database-busy"),
        (pg.OperationalError(), 503, "database-unavailable"),
        (pg.AdminShutdown(), 503, "database-unavailable"),
    ],
)
def test_what_the_database_refuses(cause: Exception, status: int, expected: str) -> None:
    problem = database_problem(DBAPIError("SELECT 1", None, cause))
    assert problem is not None
    assert (problem.status_code, problem.slug) == (status, expected)
    assert (problem.headers is not None) == (status == 503)


@pytest.mark.parametrize(
    "cause", [pg.CheckViolation(), pg.NotNullViolation(), pg.SyntaxError(), pg.UndefinedTable()]
)
def test_a_defect_of_ours_is_no_problem_of_the_caller(cause: Exception) -> None:
    assert database_problem(DBAPIError("SELECT 1", None, cause)) is None
