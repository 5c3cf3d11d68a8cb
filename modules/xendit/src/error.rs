//! What can go wrong at the module's routes, and the code that a client sees.

use halobestie_core::pg::DbError;
use halobestie_core::problem::codes;
use halobestie_core::{Coded, ErrorCode};

static NOT_AN_EVENT: ErrorCode = ErrorCode {
    name: "not_an_event",
    status: 400,
    title: "Not an event",
    meaning: "The body is no event of the payment provider.",
    client: "Do not retry it unchanged.",
};

static NOT_REFUNDABLE: ErrorCode = ErrorCode {
    name: "not_refundable",
    status: 409,
    title: "Cannot be refunded",
    meaning: "There is less to give back of this payment than was asked for.",
    client: "Look at the payment again.",
};

/// Every code of this module, for the catalogue.
pub(crate) static ALL: &[&ErrorCode] = &[&NOT_AN_EVENT, &NOT_REFUNDABLE];

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PaymentError {
    /// A webhook without the right token.
    #[error("webhook does not prove itself")]
    WrongToken,
    /// A webhook whose body says nothing.
    #[error("webhook is not an event: {0}")]
    NotAnEvent(&'static str),
    /// A refund of more than there is.
    #[error("there is less to give back than was asked for")]
    NotRefundable,
    /// Postgres.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Coded for PaymentError {
    fn code(&self) -> &'static ErrorCode {
        match self {
            Self::WrongToken => &codes::UNAUTHENTICATED,
            Self::NotAnEvent(_) => &NOT_AN_EVENT,
            Self::NotRefundable => &NOT_REFUNDABLE,
            Self::Db(error) => error.code(),
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            Self::WrongToken => Some("The callback token is missing or wrong.".to_owned()),
            Self::NotAnEvent(why) => Some(format!("The body is no event: {why}.")),
            _ => None,
        }
    }
}
