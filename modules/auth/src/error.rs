//! What can go wrong at signing in, and the codes that clients are told.

use std::time::Duration;

use halobestie_core::pg::DbError;
use halobestie_core::ports::NotCarried;
use halobestie_core::problem::{Problem, codes};
use halobestie_core::{Coded, ErrorCode};
use serde_json::{Map, Value};

use crate::limits::Limit;
use crate::password::PasswordError;

static OTP_INVALID: ErrorCode = ErrorCode {
    name: "otp_invalid",
    status: 401,
    title: "Wrong code",
    meaning: "The one-time code is wrong.",
    client: "Let the user type it again; `attempts_left` says how often.",
};
static OTP_EXPIRED: ErrorCode = ErrorCode {
    name: "otp_expired",
    status: 410,
    title: "Code expired",
    meaning: "The one-time code has expired, was used, or never existed.",
    client: "Ask for a new code.",
};
static OTP_ATTEMPTS_EXHAUSTED: ErrorCode = ErrorCode {
    name: "otp_attempts_exhausted",
    status: 429,
    title: "Too many wrong codes",
    meaning: "The one-time code was guessed at too often.",
    client: "Ask for a new code after the time in Retry-After.",
};
static OTP_NOT_SENT: ErrorCode = ErrorCode {
    name: "otp_not_sent",
    status: 502,
    title: "Code not sent",
    meaning: "The carrier of messages refused to send the one-time code.",
    client: "Let the user check the number; asking again costs nothing.",
};
static MITRA_NOT_REGISTERED: ErrorCode = ErrorCode {
    name: "mitra_not_registered",
    status: 403,
    title: "Not a mitra",
    meaning: "No mitra is registered with this phone number.",
    client: "Tell the user to be registered by an admin first.",
};
static ACCOUNT_DISABLED: ErrorCode = ErrorCode {
    name: "account_disabled",
    status: 403,
    title: "Account disabled",
    meaning: "This account may not sign in.",
    client: "Tell the user to ask the support.",
};
static REFRESH_INVALID: ErrorCode = ErrorCode {
    name: "refresh_invalid",
    status: 401,
    title: "Refresh token not valid",
    meaning: "The refresh token is not valid, has expired, or its session was revoked.",
    client: "Forget both tokens and sign in again.",
};
static REFRESH_REUSED: ErrorCode = ErrorCode {
    name: "refresh_reused",
    status: 401,
    title: "Refresh token used before",
    meaning: "The refresh token was replaced before; its session has been revoked, because somebody else may have it.",
    client: "Forget both tokens and sign in again.",
};
static OTP_OFF: ErrorCode = ErrorCode {
    name: "otp_off",
    status: 404,
    title: "No one-time codes",
    meaning: "Nobody signs in by one-time code on this server.",
    client: "Offer another way to sign in.",
};
static COOKIE_SESSIONS_OFF: ErrorCode = ErrorCode {
    name: "cookie_sessions_off",
    status: 404,
    title: "No cookie sessions",
    meaning: "This server gives no cookies to browsers.",
    client: "Keep the tokens instead, or set SESSION_SECRET on the server.",
};
static SIGN_IN_TOO_OLD: ErrorCode = ErrorCode {
    name: "sign_in_too_old",
    status: 403,
    title: "Sign-in too old",
    meaning: "The sign-in is too long ago for this.",
    client: "Let the user sign in again, and ask right after it.",
};
static INVALID_CREDENTIALS: ErrorCode = ErrorCode {
    name: "invalid_credentials",
    status: 401,
    title: "Wrong email or password",
    meaning: "The email or the password is wrong.",
    client: "Let the user type them again.",
};

/// Every code of this module, for the catalogue.
pub(crate) static ALL: &[&ErrorCode] = &[
    &OTP_INVALID,
    &OTP_EXPIRED,
    &OTP_ATTEMPTS_EXHAUSTED,
    &OTP_NOT_SENT,
    &MITRA_NOT_REGISTERED,
    &ACCOUNT_DISABLED,
    &REFRESH_INVALID,
    &REFRESH_REUSED,
    &OTP_OFF,
    &COOKIE_SESSIONS_OFF,
    &SIGN_IN_TOO_OLD,
    &INVALID_CREDENTIALS,
];

/// Why somebody was not signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthError {
    /// A wrong code.
    #[error("one-time code is wrong")]
    OtpInvalid {
        /// How often another may be tried.
        attempts_left: i16,
    },
    /// No code that could be right.
    #[error("one-time code has expired, was used or never existed")]
    OtpExpired,
    /// A code with no attempts left.
    #[error("one-time code was guessed at too often")]
    OtpAttemptsExhausted {
        /// Until a new code may be asked for.
        wait: Duration,
    },
    /// Codes were asked for too often.
    #[error("too many one-time codes: the limit by {} is met", by.as_str())]
    OtpRateLimited {
        /// Which limit.
        by: Limit,
        /// Until a new code may be asked for.
        wait: Duration,
    },
    /// More requests for codes than may wait for Postgres.
    #[error("too many requests for one-time codes at once")]
    OtpBusy,
    /// The carrier said no.
    #[error("one-time code was not sent")]
    OtpNotSent(#[source] NotCarried),
    /// The carrier was not reached, or its answer was lost.
    #[error("one-time code may not have been sent")]
    OtpCarrierAway {
        /// Until a new code may be asked for.
        wait: Duration,
        /// What is known of it.
        #[source]
        source: NotCarried,
    },
    /// A right code, and no mitra.
    #[error("no mitra has this phone")]
    MitraNotRegistered,
    /// A right code or password, and a disabled account.
    #[error("account is disabled")]
    AccountDisabled,
    /// Not, or no longer, a refresh token.
    #[error("refresh token is not valid")]
    RefreshInvalid,
    /// A refresh token that was replaced before.
    #[error("refresh token was used before")]
    RefreshReused,
    /// One-time codes are switched off.
    #[error("one-time codes are switched off")]
    OtpOff,
    /// There is no secret that signs cookies.
    #[error("cookie sessions are switched off")]
    CookieSessionsOff,
    /// A cookie for a session that was signed in too long ago.
    #[error("sign-in is too old to be carried by a cookie")]
    SignInTooOld,
    /// A wrong email or password.
    #[error("email or password is wrong")]
    InvalidCredentials,
    /// Too many wrong passwords.
    #[error("too many wrong passwords")]
    LoginRateLimited {
        /// Until another may be tried.
        wait: Duration,
    },
    /// More passwords to check than there are cores for.
    #[error("too many passwords are being checked")]
    LoginBusy,
    /// Postgres.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<PasswordError> for Problem {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => AuthError::LoginBusy.into(),
            PasswordError::Broken(_) => Self::internal(error),
        }
    }
}

impl AuthError {
    /// What a message that was not brought means for who asked. One that may have been sent keeps its
    /// phone waiting as one that was.
    pub(crate) fn of_carrier(failure: NotCarried, resend: Duration) -> Self {
        let wait = match &failure {
            NotCarried::Refused(_) => return Self::OtpNotSent(failure),
            NotCarried::Unavailable { retry_after, .. } => *retry_after,
            NotCarried::Unknown(_) => resend,
        };
        Self::OtpCarrierAway {
            wait,
            source: failure,
        }
    }
}

impl Coded for AuthError {
    fn code(&self) -> &'static ErrorCode {
        match self {
            Self::OtpInvalid { .. } => &OTP_INVALID,
            Self::OtpExpired => &OTP_EXPIRED,
            Self::OtpAttemptsExhausted { .. } => &OTP_ATTEMPTS_EXHAUSTED,
            Self::OtpRateLimited { .. } | Self::LoginRateLimited { .. } => &codes::RATE_LIMITED,
            Self::OtpBusy => &codes::OVERLOADED,
            Self::OtpNotSent(_) => &OTP_NOT_SENT,
            Self::OtpCarrierAway { .. } => &codes::DEPENDENCY_UNAVAILABLE,
            Self::MitraNotRegistered => &MITRA_NOT_REGISTERED,
            Self::AccountDisabled => &ACCOUNT_DISABLED,
            Self::RefreshInvalid => &REFRESH_INVALID,
            Self::RefreshReused => &REFRESH_REUSED,
            Self::OtpOff => &OTP_OFF,
            Self::CookieSessionsOff => &COOKIE_SESSIONS_OFF,
            Self::SignInTooOld => &SIGN_IN_TOO_OLD,
            Self::InvalidCredentials => &INVALID_CREDENTIALS,
            Self::LoginBusy => &codes::OVERLOADED,
            Self::Db(error) => error.code(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::OtpAttemptsExhausted { wait }
            | Self::OtpRateLimited { wait, .. }
            | Self::OtpCarrierAway { wait, .. }
            | Self::LoginRateLimited { wait } => Some(*wait),
            _ => None,
        }
    }

    fn detail(&self) -> Option<String> {
        let Self::OtpCarrierAway { source, .. } = self else {
            return None;
        };
        let detail = match source {
            NotCarried::Unknown(_) => "The code may or may not arrive. Ask for a new one.",
            _ => "One-time codes cannot be sent at the moment.",
        };
        Some(detail.to_owned())
    }

    fn members(&self) -> Map<String, Value> {
        let mut members = Map::new();
        if let Self::OtpInvalid { attempts_left } = self {
            members.insert("attempts_left".to_owned(), (*attempts_left).into());
        }
        members
    }
}
