//! What criterion has found inside, as far as targets are about it.

use std::path::Path;

use serde_json::Value;

use crate::results::{Results, Round, SideResults};
use crate::targets::OURS;

/// How long finding everyone who can be asked takes; `None` where it was not measured.
pub(crate) fn find_available(folder: &Path) -> Option<Results> {
    let (few, many) = (median_us(folder, 1_000)?, median_us(folder, 100_000)?);
    let mut round = Round::default();
    round.figures.extend([
        ("at_100000_us".to_owned(), many),
        ("growth".to_owned(), many / few),
    ]);
    Some(Results {
        label: "find-available".into(),
        title:
            "Finding everyone who can be asked, by criterion; the figures are in the part about it."
                .into(),
        scenario: String::new(),
        unit: "call".into(),
        command: "scripts/bench find_available".into(),
        at: String::new(),
        sides: vec![SideResults {
            name: OURS.into(),
            rounds: vec![round],
        }],
    })
}

fn median_us(folder: &Path, online: u32) -> Option<f64> {
    let file = format!("find_available/{online}/new/estimates.json");
    let text = std::fs::read(folder.join(file)).ok()?;
    let estimates: Value = serde_json::from_slice(&text).ok()?;
    let nanoseconds = estimates["median"]["point_estimate"].as_f64()?;
    Some(nanoseconds / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_are_read_where_there_are_both() {
        let folder = tempfile::tempdir().unwrap();
        let write = |online: u32, nanoseconds: u32| {
            let place = folder.path().join(format!("find_available/{online}/new"));
            std::fs::create_dir_all(&place).unwrap();
            let text = format!(r#"{{"median":{{"point_estimate":{nanoseconds}.0}}}}"#);
            std::fs::write(place.join("estimates.json"), text).unwrap();
        };
        write(1_000, 500_000);
        assert!(find_available(folder.path()).is_none());
        write(100_000, 40_000_000);
        let side = find_available(folder.path()).unwrap().sides.remove(0);
        assert_eq!(side.figure("at_100000_us").unwrap().median, 40_000.0);
        assert_eq!(side.figure("growth").unwrap().median, 80.0);
    }
}
