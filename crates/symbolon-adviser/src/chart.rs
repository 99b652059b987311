//! Cost against freshness: how many questions a second each option sends over the network, against how long an
//! ended login still works. The classic session and the classic JWT are the two ends.

mod svg;
mod words;

pub use svg::{Paper, Room, svg};

pub(crate) use words::duration;

use serde::Serialize;

use crate::price::Price;

/// One option as a point of the chart.
#[derive(Clone, Debug, Serialize)]
pub struct Point {
    /// The option.
    pub id: String,
    /// Its number in the chart and in its legend.
    pub number: usize,
    /// Seconds in which an ended login still works while the network is well.
    pub usual_seconds: f64,
    /// The same at worst: where the point stands.
    pub worst_seconds: f64,
    /// Questions a second over the network.
    pub questions: f64,
    /// Whether the verdict says this one.
    pub chosen: bool,
}

/// The points, numbered in the order of the price's table.
pub fn points(price: &Price) -> Vec<Point> {
    let rows = price.options.iter().enumerate();
    rows.map(|(at, row)| Point {
        id: row.id.clone(),
        number: at + 1,
        usual_seconds: row.window_usual_seconds,
        worst_seconds: row.window_worst_seconds,
        questions: row.questions.value,
        chosen: row.chosen,
    })
    .collect()
}
