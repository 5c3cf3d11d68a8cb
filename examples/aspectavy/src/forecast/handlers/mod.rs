//! One endpoint a file.

pub(super) mod list;
pub(super) mod show;
