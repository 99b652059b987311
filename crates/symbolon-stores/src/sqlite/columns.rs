//! How values stand in columns: ids and digests as bytes, times as milliseconds, names and dials in
//! their one text form, lists as JSON arrays. What cannot be read back is damage.

use std::{fmt::Display, str::FromStr, time::Duration};

use rusqlite::{
    Connection, Params, Result, Row,
    types::{Type, ValueRef},
};
use serde::{Serialize, de::DeserializeOwned};
use symbolon_login::{Digest, Position, UnixMillis};

use super::fault::{Fault, Work, is_taken};
use crate::in_use;

/// An id or digest of `N` bytes.
pub(super) fn bytes<const N: usize>(row: &Row<'_>, column: usize) -> Result<[u8; N]> {
    row.get(column)
}

/// A digest.
pub(super) fn digest(row: &Row<'_>, column: usize) -> Result<Digest> {
    bytes(row, column).map(Digest::from_bytes)
}

/// A moment.
pub(super) fn time(row: &Row<'_>, column: usize) -> Result<UnixMillis> {
    row.get(column).map(UnixMillis::from_millis)
}

/// A moment that may not have come.
pub(super) fn maybe_time(row: &Row<'_>, column: usize) -> Result<Option<UnixMillis>> {
    Ok(row
        .get::<_, Option<i64>>(column)?
        .map(UnixMillis::from_millis))
}

/// A name or dial in its text form.
pub(super) fn text<T>(row: &Row<'_>, column: usize) -> Result<T>
where
    T: FromStr<Err: Display>,
{
    let text = row.get_ref(column)?.as_str()?;
    text.parse()
        .map_err(|why: T::Err| unfit(column, Type::Text, why.to_string()))
}

/// A list.
pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|why| unfit(column, Type::Text, why.to_string()))
}

/// A value that may be absent.
pub(super) fn maybe_json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<Option<T>> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        _ => json(row, column).map(Some),
    }
}

/// A span of time in milliseconds that may be absent.
pub(super) fn maybe_span(row: &Row<'_>, column: usize) -> Result<Option<Duration>> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        _ => span(row, column).map(Some),
    }
}

/// A span of time in milliseconds.
pub(super) fn span(row: &Row<'_>, column: usize) -> Result<Duration> {
    number(row, column).map(Duration::from_millis)
}

/// A place in the log, in two columns.
pub(super) fn position(row: &Row<'_>, epoch: usize, number: usize) -> Result<Position> {
    Ok(Position::new(row.get(epoch)?, self::number(row, number)?))
}

/// A number that is never negative.
pub(super) fn number(row: &Row<'_>, column: usize) -> Result<u64> {
    let found: i64 = row.get(column)?;
    u64::try_from(found).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, found))
}

/// The error of a column that holds what no version of this program writes.
pub(super) fn unfit(column: usize, kind: Type, why: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, kind, why.into())
}

/// A list as its column holds it.
pub(super) fn to_json(value: &impl Serialize) -> Work<String> {
    serde_json::to_string(value).map_err(|why| Fault::unavailable(why.to_string()))
}

/// A number of the log or of milliseconds as a column holds it.
pub(super) fn to_integer(number: impl TryInto<i64>) -> Work<i64> {
    number
        .try_into()
        .map_err(|_| Fault::unavailable("a number is too large for a column"))
}

/// Inserts a row whose id was made by the caller; an id that is in use is never overwritten.
pub(super) fn insert(conn: &Connection, sql: &str, what: &str, row: impl Params) -> Work<()> {
    let inserted = conn.prepare_cached(sql)?.execute(row);
    in_use_or(inserted.map(|_| ()), what)
}

/// The outcome of an insert, with the error of an id that is in use.
pub(super) fn in_use_or(inserted: Result<()>, what: &str) -> Work<()> {
    match inserted {
        Ok(()) => Ok(()),
        Err(error) if is_taken(&error) => Err(in_use(what).into()),
        Err(error) => Err(error.into()),
    }
}
