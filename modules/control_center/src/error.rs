//! What can go wrong here that goes wrong nowhere else.

use halobestie_core::ErrorCode;
use halobestie_core::Problem;
use halobestie_core::ports::{AccountError, AdminError};
use halobestie_core::problem::codes;
use halobestie_core::settings::SettingError;
use halobestie_core::sweep::SweepError;

/// A part of the control center whose module is off.
pub(crate) static OFF: ErrorCode = ErrorCode {
    name: "module_off",
    status: 404,
    title: "Switched off",
    meaning: "The module that this belongs to is switched off.",
    client: "Do not offer this.",
};
/// A phone that another mitra has.
pub(crate) static PHONE_TAKEN: ErrorCode = ErrorCode {
    name: "phone_taken",
    status: 409,
    title: "Phone taken",
    meaning: "Another account of this role has this phone number.",
    client: "Find that account, or ask for another number.",
};
/// An email that another admin has.
pub(crate) static EMAIL_TAKEN: ErrorCode = ErrorCode {
    name: "email_taken",
    status: 409,
    title: "Email taken",
    meaning: "Another admin has this email.",
    client: "Find that account, or ask for another email.",
};
/// Nobody would be left who may do everything.
pub(crate) static LAST_OWNER: ErrorCode = ErrorCode {
    name: "last_owner",
    status: 409,
    title: "Last owner",
    meaning: "The last owner who may sign in must stay one.",
    client: "Make another owner first.",
};
/// A sweep that is at it already.
pub(crate) static SWEEP_RUNNING: ErrorCode = ErrorCode {
    name: "sweep_running",
    status: 409,
    title: "Sweep running",
    meaning: "The sweep is running at this moment.",
    client: "Wait for it; its last run shows when it is done.",
};
/// A setting that somebody else has changed meanwhile.
pub(crate) static SETTING_CHANGED: ErrorCode = ErrorCode {
    name: "setting_changed",
    status: 409,
    title: "Changed meanwhile",
    meaning: "Somebody else has changed this setting since it was read.",
    client: "Read it again, and set what is still wanted.",
};
/// A request of a page that no page of ours sent.
pub(crate) static CROSS_SITE: ErrorCode = ErrorCode {
    name: "cross_site",
    status: 403,
    title: "From another site",
    meaning: "A page of another site, or none, sent this; only our own pages may.",
    client: "Open the control center and do it there; programs use bearer tokens.",
};

/// Every code of this module, for the catalogue.
pub(crate) static ALL: &[&ErrorCode] = &[
    &OFF,
    &PHONE_TAKEN,
    &EMAIL_TAKEN,
    &LAST_OWNER,
    &SWEEP_RUNNING,
    &SETTING_CHANGED,
    &CROSS_SITE,
];

/// An account that could not be made or changed, as a client is told.
pub(crate) fn of_account(error: AccountError) -> Problem {
    match error {
        AccountError::Invalid(field) => Problem::invalid_fields(vec![field]),
        AccountError::PhoneTaken => Problem::new(&PHONE_TAKEN),
        AccountError::Db(error) => error.into(),
    }
}

/// The same of an admin's.
pub(crate) fn of_admin(error: AdminError) -> Problem {
    let invalid = |field: &str, error: &AdminError| Problem::invalid(field, error.to_string());
    match &error {
        AdminError::NotAnEmail(_) => Problem::invalid("email", "must be an email address"),
        AdminError::NotAName => invalid("display_name", &error),
        AdminError::BadPassword => invalid("password", &error),
        AdminError::Exists(_) => Problem::new(&EMAIL_TAKEN),
        AdminError::LastOwner => Problem::new(&LAST_OWNER),
        AdminError::Unknown(_) => Problem::not_found(),
        AdminError::Hash(_) => Problem::internal(error),
        AdminError::Db(_) => match error {
            AdminError::Db(error) => error.into(),
            other => Problem::internal(other),
        },
    }
}

/// A value that is no setting's.
pub(crate) fn of_setting(error: SettingError) -> Problem {
    match error {
        SettingError::Unknown(_) => Problem::not_found(),
        SettingError::Wrong { path, message } if path.is_empty() => {
            Problem::invalid("value", message)
        }
        SettingError::Wrong { path, message } if path.starts_with('[') => {
            Problem::invalid(format!("value{path}"), message)
        }
        SettingError::Wrong { path, message } => Problem::invalid(format!("value.{path}"), message),
    }
}

/// A sweep that did not run well.
pub(crate) fn of_sweep(error: SweepError) -> Problem {
    match error {
        SweepError::Unknown(_) => Problem::not_found(),
        SweepError::Running => Problem::new(&SWEEP_RUNNING),
        SweepError::Lock(error) => error.into(),
        error @ (SweepError::Timeout(_) | SweepError::Step(_)) => {
            Problem::new(&codes::INTERNAL).because(error)
        }
    }
}
