//! How long something took or lasts, as people say it.

/// Milliseconds: `14 min 30 s`, `2.5 s`, `1 h 5 min`.
pub(crate) fn of_ms(ms: i64) -> String {
    let (sign, ms) = (if ms < 0 { "-" } else { "" }, ms.unsigned_abs());
    let seconds = ms / 1000;
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let text = match (hours, minutes, rest) {
        (0, 0, _) if ms % 1000 >= 100 => format!("{seconds}.{} s", ms % 1000 / 100),
        (0, 0, _) => format!("{seconds} s"),
        (0, _, 0) => format!("{minutes} min"),
        (0, ..) => format!("{minutes} min {rest} s"),
        (_, 0, _) => format!("{hours} h"),
        _ => format!("{hours} h {minutes} min"),
    };
    format!("{sign}{text}")
}

/// Whole seconds.
pub(crate) fn of_seconds(seconds: u64) -> String {
    of_ms(
        i64::try_from(seconds)
            .unwrap_or(i64::MAX)
            .saturating_mul(1000),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_said_as_people_say_it() {
        for (ms, said) in [
            (0, "0 s"),
            (2_500, "2.5 s"),
            (59_999, "59.9 s"),
            (870_000, "14 min 30 s"),
            (900_000, "15 min"),
            (3_900_000, "1 h 5 min"),
            (-60_000, "-1 min"),
        ] {
            assert_eq!(of_ms(ms), said);
        }
    }
}
