//! All SQL of this module, a file per table. Functions take whatever can run a statement; whoever
//! calls them opens the transaction and says what time it is.

pub(crate) mod accounts;
pub(crate) mod admins;
pub(crate) mod known_networks;
pub(crate) mod login_failures;
pub(crate) mod otp_days;
pub(crate) mod otps;
pub(crate) mod page_sessions;
pub(crate) mod sessions;
pub(crate) mod users;

use halobestie_core::pg::DbError;
use halobestie_core::ports::Role;

/// A role as it is stored.
fn role(text: &str) -> Result<Role, DbError> {
    text.parse()
        .map_err(|_| DbError::Content("an unknown role is stored"))
}
