"""Databases through SQLAlchemy: a table or a query per entity, read with a server-side cursor in Arrow batches.

Add here what a kind of database needs to be read gently. Mapping columns is the same as for files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipelines.configuration import EntityConfig, SourceConfig
from pipelines.configuration.connectors import VARIABLE
from pipelines.configuration.load import expand
from pipelines.errors import SourceError
from pipelines.extract.connectors.sql_values import AHEAD, Newest, to_arrow, type_in_words
from pipelines.extract.fields import used_columns
from pipelines.extract.offers import Offer, Position, Reading
from pipelines.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.engine import URL

DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "mariadb": "mysql+pymysql"}
CONNECT_SECONDS = 15


class Database:
    """One database of `sources.yml`. Deletions are not seen in increments."""

    tells_deletions = False

    def __init__(self, source: SourceConfig, settings: Settings) -> None:
        assert source.sql is not None  # noqa: S101 - the configuration was validated
        self.source, self.config, self.settings = source, source.sql, settings

    def read(self, reading: Reading) -> dict[str, Offer]:
        return {name: self._read_entity(name, reading) for name in reading.entities}

    def rewind(self, position: Position, since: datetime) -> Position:
        if position.get("kind") not in AHEAD:
            raise SourceError(
                f"{self.source.name}: `changed` is no time there, so nothing can be read again since a moment; read it "
                f"in full."
            )
        return {**position, "newest": since.isoformat()}

    def check(self) -> list[str]:
        """Connect, and look at every table or query without reading it."""
        found = []
        with self._connected("the database") as connection:
            found.append(
                f"{connection.dialect.name} {'.'.join(map(str, connection.dialect.server_version_info or ()))}"
            )
            for name, config in self.source.entities.items():
                columns = self._describe(connection, name, config)
                number = self._scalar(connection, f"select count(*) from {self._relation(connection, config)}")
                found.append(f"{name}: {number:,} rows, {len(columns)} columns")
        return found

    def _read_entity(self, name: str, reading: Reading) -> Offer:
        config, where = self.source.entities[name], f"{self.source.name}.{name}"
        spool, newest = reading.spools[name], Newest(reading.now)
        with self._connected(where) as connection:
            types = self._describe(connection, name, config)
            self._assert_columns(where, config, reading.columns[name], types)
            used = set(used_columns(self.source.find_entity(name), config, list(types)))  # type: ignore[arg-type]
            if config.changed:
                used.add(config.changed)
            quote = connection.dialect.identifier_preparer.quote_identifier
            # Of a column that nobody mapped only whether it is filled leaves the database.
            selected = [
                quote(c) if c in used else f"case when {quote(c)} is null then null else 1 end as {quote(c)}"
                for c in types
            ]
            query = _literally(f"select {', '.join(selected)} from {self._relation(connection, config)}")
            parameters: dict[str, Any] = {}
            position = reading.position if config.changed else None
            if position and position.get("newest") is not None and config.changed:
                parameters["since"] = self._since(position)
                changed = _literally(quote(config.changed))
                if reading.until is None:
                    query += f" where {changed} >= :since or {changed} is null"
                else:
                    parameters["until"] = self._end(position, reading.until)
                    query += f" where {changed} >= :since and {changed} < :until"
            for batch in self._batches(connection, query, parameters, where):
                if config.changed:
                    newest.look_at(batch[list(types).index(config.changed)])
                spool.add_table({c: to_arrow(values) for c, values in zip(types, batch, strict=True)})
        next_position = newest.position(position) if config.changed else {}
        return Offer(
            spool.finish(),
            is_complete=not parameters,
            position=next_position,
            types={c: kind for c, kind in types.items() if c not in used},
        )

    def _since(self, position: Position) -> Any:
        newest, kind = position["newest"], position["kind"]
        if kind == "integer":
            return int(newest)
        if kind == "text":
            return str(newest)
        moment = datetime.fromisoformat(newest) - timedelta(minutes=self.config.overlap_minutes)
        return moment.date() if kind == "date" else moment

    def _end(self, position: Position, until: datetime) -> Any:
        return (until + timedelta(days=1)).date() if position["kind"] == "date" else until

    def _batches(
        self, connection: Connection, query: str, parameters: Mapping[str, Any], where: str
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Columns of values, batch by batch; the database keeps what was not fetched yet."""
        from sqlalchemy import text
        from sqlalchemy.exc import SQLAlchemyError

        try:
            result = connection.execution_options(stream_results=True, yield_per=self.config.batch_rows).execute(
                text(query), dict(parameters)
            )
            for rows in result.partitions():
                yield list(zip(*rows, strict=True))
        except SQLAlchemyError as error:
            raise self._refused(error, where) from None

    def _describe(self, connection: Connection, name: str, config: EntityConfig) -> dict[str, str]:
        """The columns of a table or query and their types in words."""
        from sqlalchemy import text
        from sqlalchemy.exc import SQLAlchemyError

        where = f"{self.source.name}.{name}"
        try:
            relation = self._relation(connection, config)
            result = connection.execute(text(_literally(f"select * from {relation} where 1 = 0")))
            columns = {str(d[0]): type_in_words(connection.dialect.name, d[1]) for d in result.cursor.description}
            result.close()
        except SQLAlchemyError as error:
            raise self._refused(error, where) from None
        if len({c.lower() for c in columns}) < len(columns):
            raise SourceError(
                f"{where}: two columns differ in upper and lower case only; name them apart in a `query`."
            )
        return columns

    def _scalar(self, connection: Connection, query: str) -> int:
        from sqlalchemy import text
        from sqlalchemy.exc import SQLAlchemyError

        try:
            return int(connection.execute(text(_literally(query))).scalar_one())
        except SQLAlchemyError as error:
            raise self._refused(error, self.source.name) from None

    def _relation(self, connection: Connection, config: EntityConfig) -> str:
        if config.query:
            return f"({config.query.strip().rstrip(';')}) as delivered"
        quote = connection.dialect.identifier_preparer.quote_identifier
        return ".".join(quote(part) for part in str(config.table).split("."))

    def _assert_columns(
        self, where: str, config: EntityConfig, wanted: Sequence[str], columns: Mapping[str, str]
    ) -> None:
        missing = [c for c in (*wanted, *([config.changed] if config.changed else [])) if c not in columns]
        if missing:
            raise SourceError(
                f"{where}: the {'query' if config.query else 'table'} lacks {', '.join(missing)}, which sources.yml "
                f"names; its columns are {', '.join(columns)}."
            )

    @contextmanager
    def _connected(self, where: str) -> Iterator[Connection]:
        """A connection that only reads, all of it at one moment of the database."""
        from sqlalchemy import create_engine, text
        from sqlalchemy.exc import SQLAlchemyError
        from sqlalchemy.pool import NullPool

        url = self._url()
        engine = create_engine(
            url, poolclass=NullPool, connect_args={"connect_timeout": CONNECT_SECONDS}, hide_parameters=True
        )
        try:
            with engine.connect() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execute(text("set transaction isolation level repeatable read, read only"))
                    connection.execute(text("set local time zone 'UTC'"))
                else:
                    connection.execute(text("set time_zone = '+00:00'"))
                    connection.rollback()
                    connection.execute(text("start transaction with consistent snapshot, read only"))
                yield connection
        except SQLAlchemyError as error:
            raise self._refused(error, where) from None
        finally:
            engine.dispose()

    def _url(self) -> URL:
        from sqlalchemy.engine import make_url
        from sqlalchemy.exc import ArgumentError

        is_variable = VARIABLE.fullmatch(self.config.url)
        try:
            # Otherwise variables are put in afterwards: a password may hold signs that mean something in an address.
            url = make_url(expand(self.config.url, self.settings) if is_variable else self.config.url)
        except (ArgumentError, ValueError):
            raise SourceError(
                f"{self.source.name}: `sql.url` is no database address; write "
                f"postgresql://USER:${{PASSWORD}}@HOST/DATABASE."
            ) from None
        if url.drivername not in DRIVERS:
            raise SourceError(
                f"{self.source.name}: `sql.url` names the database {url.drivername.partition('+')[0]}; allowed: "
                f"{', '.join(DRIVERS)}."
            )
        parts = {
            part: expand(str(getattr(url, part)), self.settings)
            for part in ("username", "password", "host", "database")
            if getattr(url, part) is not None
        }
        return url.set(drivername=DRIVERS[url.drivername], **parts)  # type: ignore[arg-type]

    def _refused(self, error: Exception, where: str) -> SourceError:
        """What a database's error means; its own words may hold values and addresses."""
        from pipelines.warehouse import log_privately

        log_privately(self.settings, error)
        words = str(getattr(error, "orig", None) or error).lower()
        reasons = {
            "the password was refused; set a new one in its environment variable": (
                "password authentication failed",
                "access denied for user",
                "no password supplied",
                "authentication failed",
            ),
            "the user may not read it; grant `select`": ("permission denied", "command denied"),
            "there is no such table or column; correct `table`, `query` or the mapping": (
                "does not exist",
                "doesn't exist",
                "unknown column",
                "unknown database",
            ),
            "the query is no valid SQL for this database": ("syntax error", "error in your sql syntax"),
            "the database does not answer; check host, port and network": (
                "could not connect",
                "connection refused",
                "can't connect",
                "timeout",
                "could not translate host name",
                "failed to resolve",
                "name or service not known",
            ),
            "the connection broke off; start again": ("server closed the connection", "lost connection", "terminat"),
        }
        reason = next((r for r, signs in reasons.items() if any(s in words for s in signs)), None)
        reason = reason or "the database reported an error"
        return SourceError(f"{where}: {reason}. Nothing was landed; the database's own words are in build/errors.log.")


def _literally(query: str) -> str:
    """SQL in which a colon begins no parameter."""
    return query.replace(":", r"\:")
