//! A forecast as the feed gives it and as we give it on.

use halobestie_core::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const SUMMARY_CHARS_MAX: usize = 4_000;
const PROBLEMS_MAX: usize = 10;

/// What is to be expected in a region. Members that the feed adds later are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(super) struct Bulletin {
    /// When it was written.
    pub(super) issued_at: Timestamp,
    /// Until when it holds.
    pub(super) valid_until: Timestamp,
    /// The danger, from 1 (low) to 5 (very high).
    #[schema(minimum = 1, maximum = 5)]
    pub(super) danger_level: u8,
    /// What makes it dangerous.
    #[serde(default)]
    pub(super) problems: Vec<Trouble>,
    /// In words.
    #[serde(default)]
    pub(super) summary: String,
}

/// Something that makes a region dangerous.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(super) struct Trouble {
    pub(super) kind: TroubleKind,
    /// From this height on, in metres.
    #[serde(default)]
    pub(super) above_m: Option<u16>,
}

/// The five problems of the European services, and the lack of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum TroubleKind {
    NewSnow,
    WindSlab,
    PersistentWeakLayer,
    WetSnow,
    GlidingSnow,
    NoDistinctProblem,
}

/// Why what the feed says is no forecast.
#[derive(Debug, thiserror::Error)]
pub(super) enum Nonsense {
    #[error("the feed's answer is no forecast: {0}")]
    Shape(String),
    #[error("the feed's answer is about {0:?}")]
    OtherRegion(String),
    #[error("the forecast has a danger level of {0}")]
    Level(u8),
    #[error("the forecast ends before it begins")]
    Backwards,
    #[error("the forecast is too long")]
    Long,
}

#[derive(Deserialize)]
struct Document {
    region: String,
    #[serde(flatten)]
    bulletin: Bulletin,
}

impl Bulletin {
    /// Reads what the feed says of a region.
    pub(super) fn parse(bytes: &[u8], region: &str) -> Result<Self, Nonsense> {
        let read: Result<Document, _> = serde_json::from_slice(bytes);
        let Document {
            region: about,
            bulletin,
        } = read.map_err(|error| Nonsense::Shape(format!("{:?}", error.classify())))?;
        if about != region {
            return Err(Nonsense::OtherRegion(about.chars().take(64).collect()));
        }
        if !(1..=5).contains(&bulletin.danger_level) {
            return Err(Nonsense::Level(bulletin.danger_level));
        }
        if bulletin.valid_until <= bulletin.issued_at {
            return Err(Nonsense::Backwards);
        }
        let is_long = bulletin.summary.chars().count() > SUMMARY_CHARS_MAX
            || bulletin.problems.len() > PROBLEMS_MAX;
        if is_long {
            Err(Nonsense::Long)
        } else {
            Ok(bulletin)
        }
    }
}
