//! How values stand in columns: ids and digests as bytes, times and numbers as `bigint`, names and dials
//! in their one text form, lists as JSON text. What cannot be read back is damage.

use std::{fmt::Display, str::FromStr, time::Duration};

use deadpool_postgres::GenericClient;
use serde::{Serialize, de::DeserializeOwned};
use symbolon_authority::ports::StoreError;
use symbolon_login::{Digest, Position, UnixMillis};
use tokio::time::timeout;
use tokio_postgres::{
    Error, Row,
    types::{FromSql, ToSql},
};

use super::fault::{Fault, Work};
use crate::in_use;

/// How long a statement may take, on the way there and back, too.
const LONGEST: Duration = Duration::from_secs(10);

/// The values for the parameters of a statement.
pub(super) type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Runs a statement; gives its rows.
pub(super) async fn rows(
    client: &impl GenericClient,
    sql: &str,
    values: Values<'_>,
) -> Work<Vec<Row>> {
    in_time(async {
        let statement = client.prepare_cached(sql).await?;
        client.query(&statement, values).await
    })
    .await
}

/// Runs a statement that gives at most one row.
pub(super) async fn maybe_row(
    client: &impl GenericClient,
    sql: &str,
    values: Values<'_>,
) -> Work<Option<Row>> {
    Ok(rows(client, sql, values).await?.into_iter().next())
}

/// Runs a statement; gives how many rows it wrote.
pub(super) async fn execute(
    client: &impl GenericClient,
    sql: &str,
    values: Values<'_>,
) -> Work<u64> {
    in_time(async {
        let statement = client.prepare_cached(sql).await?;
        client.execute(&statement, values).await
    })
    .await
}

/// Gives up on a database that takes bytes and does not answer: the network's own limits see nothing
/// wrong there.
pub(super) async fn in_time<T>(work: impl Future<Output = Result<T, Error>>) -> Work<T> {
    let done = timeout(LONGEST, work).await;
    let done = done.map_err(|_| Fault::unavailable("the database does not answer"))?;
    Ok(done?)
}

/// Any value that the database knows.
pub(super) fn value<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Work<T> {
    row.try_get(column).map_err(|why| unfit(&why))
}

/// An id or digest of `N` bytes.
pub(super) fn bytes<const N: usize>(row: &Row, column: usize) -> Work<[u8; N]> {
    value::<&[u8]>(row, column)?
        .try_into()
        .map_err(|_| unfit(&format_args!("column {column} is not {N} bytes long")))
}

/// A digest.
pub(super) fn digest(row: &Row, column: usize) -> Work<Digest> {
    bytes(row, column).map(Digest::from_bytes)
}

/// A moment.
pub(super) fn time(row: &Row, column: usize) -> Work<UnixMillis> {
    value(row, column).map(UnixMillis::from_millis)
}

/// A moment that may not have come.
pub(super) fn maybe_time(row: &Row, column: usize) -> Work<Option<UnixMillis>> {
    Ok(value::<Option<i64>>(row, column)?.map(UnixMillis::from_millis))
}

/// A name or dial in its text form.
pub(super) fn text<T>(row: &Row, column: usize) -> Work<T>
where
    T: FromStr<Err: Display>,
{
    value::<&str>(row, column)?
        .parse()
        .map_err(|why: T::Err| unfit(&why))
}

/// A list.
pub(super) fn json<T: DeserializeOwned>(row: &Row, column: usize) -> Work<T> {
    serde_json::from_str(value(row, column)?).map_err(|why| unfit(&why))
}

/// A list that may be absent.
pub(super) fn maybe_json<T: DeserializeOwned>(row: &Row, column: usize) -> Work<Option<T>> {
    let text = value::<Option<&str>>(row, column)?;
    text.map(|text| serde_json::from_str(text).map_err(|why| unfit(&why)))
        .transpose()
}

/// A span of time in milliseconds.
pub(super) fn span(row: &Row, column: usize) -> Work<Duration> {
    number(row, column).map(Duration::from_millis)
}

/// A span of time in milliseconds that may be absent.
pub(super) fn maybe_span(row: &Row, column: usize) -> Work<Option<Duration>> {
    match value::<Option<i64>>(row, column)? {
        None => Ok(None),
        Some(_) => span(row, column).map(Some),
    }
}

/// A place in the log, in this column and the next.
pub(super) fn position(row: &Row, column: usize) -> Work<Position> {
    Ok(Position::new(
        number(row, column)?,
        number(row, column + 1)?,
    ))
}

/// A number that is never negative.
pub(super) fn number<T: TryFrom<i64, Error: Display>>(row: &Row, column: usize) -> Work<T> {
    value::<i64>(row, column)?
        .try_into()
        .map_err(|why: T::Error| unfit(&why))
}

fn unfit(why: &dyn Display) -> Fault {
    Fault::damaged(why.to_string())
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

/// A place in the log as two columns hold it.
pub(super) fn to_columns(position: Position) -> Work<(i64, i64)> {
    Ok((i64::from(position.epoch()), to_integer(position.number())?))
}

/// An id that was made by the caller and is in use is never overwritten: what `names` says of the
/// constraint that refused the row.
pub(super) fn refused(fault: Fault, names: impl FnOnce(&str) -> &'static str) -> Fault {
    match fault.taken() {
        Some(constraint) => {
            let refused: StoreError = in_use(names(constraint));
            refused.into()
        }
        None => fault,
    }
}
