//! When each operation is to be sent. Open loop: the times are fixed before the first is sent, and an
//! answer that comes late moves none of them, so a server that stalls is charged for everything that
//! should have been sent meanwhile.

use std::f64::consts::PI;
use std::sync::Arc;
use std::time::Duration;

/// How the rate goes over the time of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The same all the time.
    Even,
    /// A day compressed into the run: quiet at night, a bump at noon, most of it in the evening.
    Day,
}

/// How many steps a day's curve is summed up in.
const DAY_STEPS: usize = 1440;

/// The intended times, as offsets from the start; in order.
#[derive(Clone, Debug)]
pub(crate) struct Schedule(Arc<[Duration]>);

impl Schedule {
    /// `per_second` operations on average, for this long.
    pub(crate) fn new(shape: Shape, per_second: f64, length: Duration) -> Self {
        let count = (per_second * length.as_secs_f64()).round().max(0.0) as usize;
        let times = match shape {
            Shape::Even => (0..count)
                .map(|number| length.mul_f64(number as f64 / count as f64))
                .collect(),
            Shape::Day => over_a_day(count, length),
        };
        Self(times)
    }

    /// The share of one of `workers`: every so-many-th operation.
    pub(crate) fn share(
        &self,
        worker: usize,
        workers: usize,
    ) -> impl Iterator<Item = Duration> + use<> {
        let times = self.0.clone();
        (worker..times.len())
            .step_by(workers.max(1))
            .map(move |number| times[number])
    }
}

/// Places operations so that as many fall into each piece of the day as its share of the day's curve.
fn over_a_day(count: usize, length: Duration) -> Arc<[Duration]> {
    let weights: Vec<f64> = (0..DAY_STEPS)
        .map(|step| weight(step as f64 / DAY_STEPS as f64))
        .collect();
    let total: f64 = weights.iter().sum();
    let (mut step, mut before) = (0, 0.0);
    (0..count)
        .map(|number| {
            let wanted = total * number as f64 / count as f64;
            while step + 1 < DAY_STEPS && before + weights[step] <= wanted {
                before += weights[step];
                step += 1;
            }
            let within = (wanted - before) / weights[step];
            length.mul_f64((step as f64 + within) / DAY_STEPS as f64)
        })
        .collect()
}

/// How busy it is at this part of the day, from midnight (0) to midnight (1).
fn weight(of_day: f64) -> f64 {
    let bump = |at: f64, width: f64, height: f64| {
        let away = (of_day - at) / width;
        height * (-away * away).exp()
    };
    let night = 0.15 + 0.05 * (2.0 * PI * of_day).cos();
    night + bump(0.52, 0.07, 0.6) + bump(0.88, 0.08, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Duration = Duration::from_secs(10);

    #[test]
    fn an_even_schedule_keeps_its_rate() {
        let schedule = Schedule::new(Shape::Even, 200.0, TEN);
        assert_eq!(schedule.share(0, 1).count(), 2000);
        let times: Vec<Duration> = schedule.share(0, 1).collect();
        assert_eq!(times[0], Duration::ZERO);
        for pair in times.windows(2) {
            let gap = (pair[1] - pair[0]).as_secs_f64();
            assert!((gap - 0.005).abs() < 1e-6, "{gap}");
        }
        assert!(times[1999] < TEN);
    }

    #[test]
    fn workers_share_every_operation_once() {
        let schedule = Schedule::new(Shape::Day, 33.3, TEN);
        let mut shared: Vec<Duration> = (0..7)
            .flat_map(|worker| schedule.share(worker, 7))
            .collect();
        shared.sort_unstable();
        assert_eq!(shared, schedule.share(0, 1).collect::<Vec<_>>());
        assert_eq!(shared.len(), 333);
    }

    #[test]
    fn a_day_has_the_same_sum_and_its_peak_in_the_evening() {
        let schedule = Schedule::new(Shape::Day, 1000.0, TEN);
        assert_eq!(schedule.share(0, 1).count(), 10_000);
        let mut by_tenth = [0; 10];
        let mut last = Duration::ZERO;
        for at in schedule.share(0, 1) {
            assert!(at >= last && at < TEN);
            last = at;
            by_tenth[at.as_secs() as usize] += 1;
        }
        assert_eq!(by_tenth.iter().max(), Some(&by_tenth[8]), "{by_tenth:?}");
        assert!(by_tenth[8] > 4 * by_tenth[2], "{by_tenth:?}");
    }

    #[test]
    fn nothing_is_sent_at_a_rate_of_nothing() {
        for shape in [Shape::Even, Shape::Day] {
            assert_eq!(Schedule::new(shape, 0.0, TEN).share(0, 1).count(), 0);
        }
    }
}
