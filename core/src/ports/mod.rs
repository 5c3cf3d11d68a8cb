//! The small traits at which modules meet. Core owns them and knows no implementation.
//!
//! A module that provides a capability sets its port in `build`; one that needs it reads it there.
//! `NEEDS` and `PROVIDES` say so as constants, and assembly checks that they do not lie. A fact that
//! an earlier module wants from a later one travels through a [`Late`] handle, filled by assembly's
//! end; an empty one means that nobody provides it.

mod accounts;
mod admin_sessions;
mod admins;
mod analytics;
mod availability;
mod books;
mod chat_news;
mod codes;
mod cookie_sessions;
mod device;
mod erasures;
mod notifier;
mod payments;
mod payments_oversight;
mod people;
mod sessions;
mod sessions_oversight;
mod sign_in;
mod sold_time;
mod uploads;

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::Serialize;

pub use self::accounts::*;
pub use self::admin_sessions::*;
pub use self::admins::*;
pub use self::analytics::*;
pub use self::availability::*;
pub use self::books::*;
pub use self::chat_news::*;
pub use self::codes::*;
pub use self::cookie_sessions::*;
pub use self::device::*;
pub use self::erasures::*;
pub use self::notifier::*;
pub use self::payments::*;
pub use self::payments_oversight::*;
pub use self::people::*;
pub use self::sessions::*;
pub use self::sessions_oversight::*;
pub use self::sign_in::*;
pub use self::sold_time::*;
pub use self::uploads::*;

/// A handle that is empty while modules are built and filled before anything runs.
pub struct Late<T: ?Sized>(Arc<OnceLock<Arc<T>>>);

impl<T: ?Sized> Late<T> {
    /// The port, or `None` where no enabled module provides it.
    pub fn get(&self) -> Option<&Arc<T>> {
        self.0.get()
    }

    /// Fills the handle; the first filling stays.
    pub fn fill(&self, port: Arc<T>) {
        // A second provider is refused by assembly; nothing to do about it here.
        let _ = self.0.set(port);
    }
}

impl<T: ?Sized> Clone for Late<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: ?Sized> Default for Late<T> {
    fn default() -> Self {
        Self(Arc::new(OnceLock::new()))
    }
}

macro_rules! contracts {
    ($($(#[$doc:meta])* $Port:ident = $name:ident;)*) => {
        /// What a module can promise to the others: a port each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Capability {
            $($(#[$doc])* $Port,)*
        }

        impl fmt::Display for Capability {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(match self {
                    $(Self::$Port => stringify!($name),)*
                })
            }
        }

        /// Every contract between modules, each provided at most once.
        #[derive(Clone, Default)]
        pub struct Ports {
            $($(#[$doc])* pub $name: Late<dyn $Port>,)*
            /// What else goes when an account is closed. Not a capability: anybody may add to it.
            pub erasures: Erasures,
        }

        impl Ports {
            /// Whether an enabled module has set this port.
            pub fn has(&self, capability: Capability) -> bool {
                match capability {
                    $(Capability::$Port => self.$name.get().is_some(),)*
                }
            }
        }
    };
}

// A contract is its trait and a line here.
contracts! {
    /// Says who calls.
    Authenticator = authenticator;
    /// Says whom a browser's cookie speaks for.
    CookieSessions = cookie_sessions;
    /// Knows people by id.
    Directory = directory;
    /// Opens sessions for people whose identity another module has proved.
    SignIn = sign_in;
    /// Keeps the accounts of customers and mitras.
    Accounts = accounts;
    /// Keeps the accounts of admins.
    AdminAccounts = admin_accounts;
    /// Says who works in the control center.
    AdminSessions = admin_sessions;
    /// Counts what happens, without knowing to whom.
    Analytics = analytics;
    /// Brings one-time codes to phones.
    CodeCarrier = code_carrier;
    /// Knows which mitras can be asked.
    Availability = availability;
    /// Knows how busy mitras are.
    SessionLoad = session_load;
    /// Charges customers.
    Payments = payments;
    /// Sells what is paid for.
    Purchases = purchases;
    /// Sees every payment.
    PaymentsOversight = payments_oversight;
    /// Sees every session.
    SessionsOversight = sessions_oversight;
    /// Moves sessions on by order of an admin.
    SessionControl = session_control;
    /// Knows what became of the time that was sold.
    SoldTime = sold_time;
    /// Keeps the books of the money.
    Books = books;
    /// Answers for what happens in chats.
    ChatNews = chat_news;
    /// Tells people whose app sleeps.
    Notifier = notifier;
    /// Knows which devices are signed in.
    SignInSessions = sign_in_sessions;
    /// Keeps what people send to each other.
    Attachments = attachments;
    /// Knows who talks to whom.
    Conversations = conversations;
}
