//! The endpoints, a family a file.

pub(crate) mod beacon;
pub(crate) mod status;

use std::sync::Arc;

use crate::beacon::Beacon;
use crate::roster::Roster;

/// What the handlers share.
pub(crate) struct State {
    pub(crate) roster: Arc<Roster>,
    pub(crate) beacon: Arc<Beacon>,
}
