//! A track: places in the order in which somebody passes them. Pure, but for the bench where cards are
//! made of them beside the threads that answer requests.

mod bench;
mod gpx;
mod measure;
mod way;

pub(crate) use bench::{Bench, Unfinished};
pub(crate) use gpx::{Unreadable, read};
pub(crate) use measure::Figures;
pub(crate) use way::Way;

/// A place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    /// Degrees, −90 to 90.
    pub(crate) latitude: f64,
    /// Degrees, −180 to 180.
    pub(crate) longitude: f64,
    /// Metres above the sea, where that is known.
    pub(crate) elevation_m: Option<f64>,
}

impl Point {
    /// A place on this planet; none for numbers that are none.
    pub(crate) fn new(latitude: f64, longitude: f64, elevation_m: Option<f64>) -> Option<Self> {
        let is_on_earth =
            (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        let is_reached = elevation_m.is_none_or(|it| (-500.0..=9_000.0).contains(&it));
        (is_on_earth && is_reached).then_some(Self {
            latitude,
            longitude,
            elevation_m,
        })
    }
}

/// Places in their order. Between two lines nobody walked: a lift, a lost signal, another day.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Track {
    /// What its author calls it.
    pub(crate) name: Option<String>,
    /// The lines.
    pub(crate) lines: Vec<Vec<Point>>,
}
