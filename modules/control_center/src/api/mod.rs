//! The endpoints of the API: parse, act or read, reply.

pub(crate) mod account;
pub(crate) mod admins;
pub(crate) mod audit;
pub(crate) mod config;
pub(crate) mod customers;
pub(crate) mod dashboard;
pub(crate) mod mitras;
pub(crate) mod payments;
pub(crate) mod reports;
pub(crate) mod requests;
pub(crate) mod sessions;
pub(crate) mod sweeps;
pub(crate) mod system;

use halobestie_core::Problem;
use halobestie_core::http::paging;
use halobestie_core::ports::Window;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The items.
    pub(crate) items: Vec<T>,
    /// To be sent as `cursor` for the next page; null on the last.
    pub(crate) next_cursor: Option<String>,
}

/// Which page.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// 1 to 100, 50 unless told.
    #[serde(default, deserialize_with = "number")]
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// `newest`, the default, or `oldest` first.
    sort: Option<String>,
}

/// A number in a query string, also where the query is flattened.
pub(crate) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    let text: Option<String> = Option::deserialize(from)?;
    let read = |text: String| text.parse().map_err(serde::de::Error::custom);
    text.map(read).transpose()
}

impl PageQuery {
    /// How many items the page has.
    ///
    /// # Errors
    /// `validation_failed`
    pub(crate) fn limit(&self) -> Result<i64, Problem> {
        paging::limit(self.limit)
    }

    /// The item before the page.
    ///
    /// # Errors
    /// `validation_failed`
    pub(crate) fn after(&self) -> Result<Option<Uuid>, Problem> {
        paging::read_cursor(self.cursor.as_deref())
    }

    /// What is asked of a port: one item more than the page has.
    ///
    /// # Errors
    /// `validation_failed`
    pub(crate) fn window(&self) -> Result<Window, Problem> {
        let oldest_first = match self.sort.as_deref() {
            None | Some("newest") => false,
            Some("oldest") => true,
            Some(_) => return Err(Problem::invalid("sort", "must be newest or oldest")),
        };
        Ok(Window {
            oldest_first,
            after: self.after()?,
            ..Window::latest(self.limit()? + 1)
        })
    }

    /// The order that was asked for.
    pub(crate) fn sort(&self) -> Option<&str> {
        self.sort.as_deref()
    }
}

/// Reads a filter that must be one of several names.
///
/// # Errors
/// `validation_failed`
pub(crate) fn one_of<T>(
    field: &'static str,
    text: Option<&str>,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    let wrong = || Problem::invalid(field, "is none of those that there are");
    let text = text.filter(|text| !text.is_empty());
    text.map(|text| read(text).ok_or_else(wrong)).transpose()
}
