//! How long, how high and how steep a track is. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Point, Track};

/// The mean radius of the earth.
const EARTH_M: f64 = 6_371_008.8;
/// A change of height counts once it is more than this: receivers and barometers tremble.
const TREMBLE_M: f64 = 3.0;
/// The steepest stretch is looked for over this distance at least, in whole metres as all that is told:
/// one pair of points says nothing.
const STRETCH_M: f64 = 100.0;

/// What a track comes to. Whole metres.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Figures {
    /// Along the ground, without what lies between two segments.
    pub(crate) distance_m: u64,
    /// All that goes up. Absent where no height is known, as are the other heights.
    pub(crate) ascent_m: Option<u64>,
    /// All that goes down.
    pub(crate) descent_m: Option<u64>,
    pub(crate) highest_m: Option<i64>,
    pub(crate) lowest_m: Option<i64>,
    /// Absent where no stretch is long enough.
    pub(crate) steepest: Option<Stretch>,
    /// Points that were counted.
    pub(crate) points: u64,
}

/// A part of a track.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Stretch {
    /// Where it begins, from the start of the track.
    pub(crate) from_m: u64,
    /// How long it is: 100 m, or a little more.
    pub(crate) length_m: u64,
    /// Its mean slope, in degrees; downhill is negative.
    pub(crate) slope_degrees: f64,
}

impl Figures {
    /// Measures a track.
    pub(crate) fn of(track: &Track) -> Self {
        let mut figures = Self::default();
        let mut climb = Climb::default();
        let mut distance_m = 0.0;
        let mut steepest = Steepest::default();
        for line in &track.lines {
            let mut window = Window::default();
            climb.break_off();
            for (index, point) in line.iter().enumerate() {
                distance_m += index
                    .checked_sub(1)
                    .map_or(0.0, |before| distance(line[before], *point));
                if let Some(height_m) = point.elevation_m {
                    climb.pass(height_m);
                    steepest.consider(window.pass(distance_m, height_m));
                }
            }
            figures.points += line.len() as u64;
        }
        figures.distance_m = metres(distance_m);
        if let Some((lowest, highest)) = climb.range {
            figures.ascent_m = Some(metres(climb.up_m));
            figures.descent_m = Some(metres(climb.down_m));
            (figures.lowest_m, figures.highest_m) =
                (Some(lowest.round() as i64), Some(highest.round() as i64));
        }
        figures.steepest = steepest.0;
        figures
    }
}

/// Along a great circle, in metres.
fn distance(from: Point, to: Point) -> f64 {
    let (from_lat, to_lat) = (from.latitude.to_radians(), to.latitude.to_radians());
    let half_lat = (to_lat - from_lat) / 2.0;
    let half_lon = (to.longitude - from.longitude).to_radians() / 2.0;
    let square = half_lat.sin().powi(2) + from_lat.cos() * to_lat.cos() * half_lon.sin().powi(2);
    2.0 * EARTH_M * square.sqrt().min(1.0).asin()
}

/// Sums of what goes up and down, past the trembling.
#[derive(Default)]
struct Climb {
    up_m: f64,
    down_m: f64,
    range: Option<(f64, f64)>,
    /// The height from which the next change is counted.
    turned_at_m: Option<f64>,
}

impl Climb {
    /// Nobody walked from the last height to the next.
    fn break_off(&mut self) {
        self.turned_at_m = None;
    }

    fn pass(&mut self, height_m: f64) {
        let (lowest, highest) = self.range.unwrap_or((height_m, height_m));
        self.range = Some((lowest.min(height_m), highest.max(height_m)));
        let change = height_m - *self.turned_at_m.get_or_insert(height_m);
        if change.abs() < TREMBLE_M {
            return;
        }
        if change > 0.0 {
            self.up_m += change;
        } else {
            self.down_m -= change;
        }
        self.turned_at_m = Some(height_m);
    }
}

/// The last points of a line, as far back as a stretch goes.
#[derive(Default)]
struct Window(std::collections::VecDeque<(f64, f64)>);

impl Window {
    /// Goes on to a point; the shortest stretch of at least [`STRETCH_M`] that ends there.
    fn pass(&mut self, distance_m: f64, height_m: f64) -> Option<Stretch> {
        self.0.push_back((distance_m, height_m));
        while self
            .0
            .get(1)
            .is_some_and(|next| is_long_enough(distance_m - next.0))
        {
            self.0.pop_front();
        }
        let (from_m, from_height_m) = *self.0.front()?;
        let length_m = distance_m - from_m;
        is_long_enough(length_m).then(|| {
            let slope = ((height_m - from_height_m) / length_m).atan().to_degrees();
            Stretch {
                from_m: metres(from_m),
                length_m: metres(length_m),
                slope_degrees: (slope * 10.0).round() / 10.0,
            }
        })
    }
}

/// The steepest of all stretches, the first where there are several.
#[derive(Default)]
struct Steepest(Option<Stretch>);

impl Steepest {
    fn consider(&mut self, stretch: Option<Stretch>) {
        let slope = |it: &Stretch| it.slope_degrees.abs();
        let so_far = self.0.as_ref().map_or(-1.0, slope);
        if let Some(stretch) = stretch.filter(|it| slope(it) > so_far) {
            self.0 = Some(stretch);
        }
    }
}

fn is_long_enough(length_m: f64) -> bool {
    length_m.round() >= STRETCH_M
}

/// Whole metres of what is never negative.
fn metres(metres: f64) -> u64 {
    // `as` saturates, and a sum of distances on one planet is no `NaN`.
    metres.round() as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Metres of a degree of latitude on this sphere.
    const DEGREE_M: f64 = EARTH_M * std::f64::consts::PI / 180.0;

    /// A line northwards with these distances from its start and heights.
    fn line(points: &[(f64, f64)]) -> Vec<Point> {
        let point = |&(metres, height): &(f64, f64)| {
            Point::new(47.0 + metres / DEGREE_M, 11.0, Some(height)).unwrap()
        };
        points.iter().map(point).collect()
    }

    fn figures(lines: &[&[(f64, f64)]]) -> Figures {
        let lines = lines.iter().map(|it| line(it)).collect();
        Figures::of(&Track { name: None, lines })
    }

    #[test]
    fn distance_is_along_the_ground_and_not_between_lines() {
        let one = figures(&[&[(0.0, 0.0), (500.0, 0.0), (1_000.0, 0.0)]]);
        assert_eq!((one.distance_m, one.points), (1_000, 3));
        let two = figures(&[
            &[(0.0, 0.0), (500.0, 0.0)],
            &[(9_000.0, 900.0), (9_100.0, 900.0)],
        ]);
        assert_eq!((two.distance_m, two.ascent_m), (600, Some(0)));
        assert_eq!((two.lowest_m, two.highest_m), (Some(0), Some(900)));
    }

    #[test]
    fn trembling_is_no_ascent_and_a_slow_climb_is_one() {
        let trembling: Vec<(f64, f64)> = (0..200)
            .map(|it| (f64::from(it) * 5.0, f64::from(it % 2) * 2.0))
            .collect();
        assert_eq!(figures(&[&trembling]).ascent_m, Some(0));
        let slow: Vec<(f64, f64)> = (0..=100).map(|it| (f64::from(it), f64::from(it))).collect();
        let slow = figures(&[&slow]);
        assert!(slow.ascent_m.unwrap() >= 97, "{slow:?}");
        assert_eq!(slow.descent_m, Some(0));
    }

    #[test]
    fn the_steepest_stretch_is_a_hundred_metres_of_it() {
        let flat_then_steep = [(0.0, 0.0), (400.0, 0.0), (500.0, 100.0), (900.0, 100.0)];
        let steepest = figures(&[&flat_then_steep]).steepest.unwrap();
        assert_eq!((steepest.from_m, steepest.length_m), (400, 100));
        assert_eq!(steepest.slope_degrees, 45.0);
        let down = [(0.0, 300.0), (200.0, 200.0), (400.0, 190.0)];
        assert_eq!(figures(&[&down]).steepest.unwrap().slope_degrees, -26.6);
        // One jump of a receiver on ten metres is none.
        let short = [(0.0, 0.0), (10.0, 50.0)];
        assert_eq!(figures(&[&short]).steepest, None);
    }

    #[test]
    fn without_heights_there_is_only_distance() {
        let mut lines = vec![line(&[(0.0, 0.0), (700.0, 0.0)])];
        lines[0].iter_mut().for_each(|it| it.elevation_m = None);
        let figures = Figures::of(&Track { name: None, lines });
        assert_eq!((figures.distance_m, figures.ascent_m), (700, None));
        assert_eq!(figures.steepest, None);
    }

    proptest! {
        #[test]
        fn figures_agree_with_each_other(
            points in proptest::collection::vec((-85.0f64..85.0, -180.0f64..180.0, -400.0f64..8_900.0), 0..60),
        ) {
            let line = points.iter().map(|&(lat, lon, ele)| Point::new(lat, lon, Some(ele)).unwrap());
            let figures = Figures::of(&Track { name: None, lines: vec![line.collect()] });
            prop_assert_eq!(figures.points as usize, points.len());
            let (Some(up), Some(down)) = (figures.ascent_m, figures.descent_m) else {
                prop_assert!(points.is_empty());
                return Ok(());
            };
            let net = points[points.len() - 1].2 - points[0].2;
            // What is below the trembling at the end is in neither.
            prop_assert!((up as f64 - down as f64 - net).abs() <= TREMBLE_M + 2.0);
            let range = figures.highest_m.unwrap() - figures.lowest_m.unwrap();
            prop_assert!(range >= 0);
            if let Some(steepest) = figures.steepest {
                prop_assert!(steepest.slope_degrees.abs() <= 90.0);
                prop_assert!(steepest.from_m + steepest.length_m <= figures.distance_m + 2);
            }
        }
    }
}
