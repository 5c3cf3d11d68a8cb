//! A list: filtered, sorted and paged by its address alone, so that it can be kept, sent and gone back to.
//!
//! A page reads what was asked with [`Asked::of`], asks a port for one item more than [`Asked::limit`],
//! and gives the rest to [`ListView`], which draws the filters, the heads that sort and the way on.

use std::time::Duration;

use askama::Template;
use halobestie_core::http::{Request, paging};
use halobestie_core::ports::Window;
use halobestie_core::{Problem, Timestamp};
use uuid::Uuid;

/// What an address keeps when a filter changes, beside the filters.
const KEPT: &[&str] = &["sort", "limit", "user_id"];
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What a list is asked for, by its address.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    path: String,
    pairs: Vec<(String, String)>,
    /// The page after this item.
    pub(crate) after: Option<Uuid>,
    /// How many items a page has.
    pub(crate) limit: i64,
}

impl Asked {
    /// Reads a request's address. What is empty was not asked.
    ///
    /// # Errors
    /// `validation_failed` on a limit or cursor that is none.
    pub(crate) fn of(req: &Request) -> Result<Self, Problem> {
        let mut pairs: Vec<(String, String)> = req.query()?;
        pairs.retain(|(_, value)| !value.trim().is_empty());
        let find = |name: &str| pairs.iter().find(|(key, _)| key == name);
        let cursor = find("cursor").map(|(_, value)| value.as_str());
        let after = paging::read_cursor(cursor)?;
        let limit = find("limit").map(|(_, value)| value.parse().unwrap_or(0));
        let limit = paging::limit(limit)?;
        Ok(Self {
            path: req.uri().path().to_owned(),
            pairs,
            after,
            limit,
        })
    }

    /// What is asked of a filter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let pair = self.pairs.iter().find(|(key, _)| key == name);
        pair.map(|(_, value)| value.as_str())
    }

    /// The same, read.
    ///
    /// # Errors
    /// `validation_failed` where it cannot be read.
    pub(crate) fn read<T>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let value = self.get(name);
        let wrong = || Problem::invalid(name, "is none of those that there are");
        value.map(|text| read(text).ok_or_else(wrong)).transpose()
    }

    /// Which part of a list of a port is asked for: its page, its order, and its days.
    ///
    /// # Errors
    /// `validation_failed` on an order or a day that is none.
    pub(crate) fn window(&self) -> Result<Window, Problem> {
        let oldest_first = match self.get("sort") {
            None | Some("newest") => false,
            Some("oldest") => true,
            Some(_) => return Err(Problem::invalid("sort", "must be newest or oldest")),
        };
        Ok(Window {
            oldest_first,
            after: self.after,
            since: self.day("since")?,
            until: self.day("until")?.map(|day| day + DAY),
            ..Window::latest(self.limit)
        })
    }

    /// When a day begins where the viewer is; `cc.js` says where, and UTC stays where it cannot.
    fn day(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let zone = self.get("zone").unwrap_or("+00:00");
        self.read(name, |day| {
            Timestamp::parse(&format!("{day}T00:00:00{zone}"))
        })
    }

    /// This address with one thing changed, or removed; from the first page on.
    fn with(&self, name: &str, value: Option<&str>) -> String {
        let kept = self.pairs.iter();
        let kept = kept.filter(|(key, _)| key != name && key != "cursor" && key != "done");
        let pairs: Vec<(&str, &str)> = kept
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .chain(value.map(|value| (name, value)))
            .collect();
        // Pairs of texts can always be written.
        let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
        if query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{query}", self.path)
        }
    }
}

/// What a filter offers.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// Any text, with an example of one.
    Text(&'static str),
    /// One of these, each with its name.
    Choice(Vec<(&'static str, &'static str)>),
    /// A day.
    Day,
}

/// A filter.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    name: &'static str,
    label: &'static str,
    kind: Kind,
    value: String,
}

impl Filter {
    fn choices(&self) -> &[(&'static str, &'static str)] {
        match &self.kind {
            Kind::Choice(choices) => choices,
            Kind::Text(_) | Kind::Day => &[],
        }
    }

    fn example(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Text(example) => Some(example),
            Kind::Choice(_) | Kind::Day => None,
        }
    }

    fn is_day(&self) -> bool {
        matches!(self.kind, Kind::Day)
    }
}

/// What stands around a list's rows.
#[derive(Clone, Debug)]
pub(crate) struct ListView {
    asked: Asked,
    filters: Vec<Filter>,
    next: Option<String>,
}

impl ListView {
    /// Around what was asked; `next` is the cursor of the next page.
    pub(crate) fn new(asked: Asked, next: Option<String>) -> Self {
        Self {
            asked,
            filters: Vec::new(),
            next,
        }
    }

    /// Adds a filter for a text.
    #[must_use]
    pub(crate) fn text(self, name: &'static str, label: &'static str, like: &'static str) -> Self {
        self.filter(name, label, Kind::Text(like))
    }

    /// Adds a filter that offers a choice.
    #[must_use]
    pub(crate) fn choice(
        self,
        name: &'static str,
        label: &'static str,
        choices: Vec<(&'static str, &'static str)>,
    ) -> Self {
        self.filter(name, label, Kind::Choice(choices))
    }

    /// Adds filters for the days of [`Asked::window`].
    #[must_use]
    pub(crate) fn days(self) -> Self {
        self.filter("since", "From", Kind::Day)
            .filter("until", "Up to and with", Kind::Day)
    }

    fn filter(mut self, name: &'static str, label: &'static str, kind: Kind) -> Self {
        let value = self.asked.get(name).unwrap_or_default().to_owned();
        self.filters.push(Filter {
            name,
            label,
            kind,
            value,
        });
        self
    }

    /// Whether anything but the order is asked for: an empty list then says so.
    pub(crate) fn is_narrowed(&self) -> bool {
        self.asked.after.is_some()
            || self.asked.get("user_id").is_some()
            || self
                .filters
                .iter()
                .any(|it| it.name != "sort" && !it.value.is_empty())
    }

    /// What the address keeps when a filter changes.
    fn kept(&self) -> impl Iterator<Item = &(String, String)> {
        let pairs = self.asked.pairs.iter();
        pairs.filter(|(name, _)| KEPT.contains(&name.as_str()))
    }

    /// Whether there are days among the filters, which begin where the viewer is.
    fn has_days(&self) -> bool {
        self.filters.iter().any(Filter::is_day)
    }

    /// The list without its filters.
    pub(crate) fn everything(&self) -> &str {
        &self.asked.path
    }

    /// The attributes of `#list` by which its first page is fetched again while it is looked at. A later
    /// page stays as it is: what moves would push its rows onto the next one.
    pub(crate) fn moving(&self) -> Moving {
        let is_first = self.asked.after.is_none();
        Moving {
            address: is_first.then(|| self.asked.with("cursor", None)),
        }
    }

    /// The form of the filters.
    pub(crate) fn filters(&self) -> Filters<'_> {
        Filters { list: self }
    }

    /// A column's head that sorts by it.
    pub(crate) fn head<'a>(&'a self, sort: &'a str, label: &'a str) -> Head<'a> {
        let is_on = self.asked.get("sort") == Some(sort);
        Head {
            label,
            address: self.asked.with("sort", Some(sort)),
            sorted: is_on.then_some("ascending"),
        }
    }

    /// The head of the time that a list is ordered by, the newest first unless told: turns it round.
    pub(crate) fn head_of_time<'a>(&'a self, label: &'a str) -> Head<'a> {
        let sort = self.asked.get("sort").unwrap_or("newest");
        let (turned, sorted) = match sort {
            "newest" => (Some("oldest"), Some("descending")),
            "oldest" => (None, Some("ascending")),
            _ => (None, None),
        };
        Head {
            label,
            address: self.asked.with("sort", turned),
            sorted,
        }
    }

    /// The ways to the first and the next page.
    pub(crate) fn pager(&self) -> Pager {
        Pager {
            first: self.asked.after.map(|_| self.asked.with("cursor", None)),
            next: self
                .next
                .as_deref()
                .map(|it| self.asked.with("cursor", Some(it))),
        }
    }
}

/// See [`ListView::filters`].
#[derive(Template)]
#[template(path = "pages/list_filters.html")]
pub(crate) struct Filters<'a> {
    list: &'a ListView,
}

/// See [`ListView::moving`].
#[derive(Template)]
#[template(
    ext = "html",
    source = r##"{% if let Some(address) = address %} hx-get="{{ address }}" hx-select="#list" hx-trigger="live from:body" hx-swap="outerHTML"{% endif %}"##
)]
pub(crate) struct Moving {
    address: Option<String>,
}

/// See [`ListView::head`].
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<th scope="col"{% if let Some(sorted) = sorted %} aria-sort="{{ sorted }}"{% endif %}><a href="{{ address }}">{{ label }}</a></th>"#
)]
pub(crate) struct Head<'a> {
    label: &'a str,
    address: String,
    sorted: Option<&'static str>,
}

/// See [`ListView::pager`].
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"{% if first.is_some() || next.is_some() %}<nav class="pager" aria-label="Pages of the list">
{%- if let Some(first) = first %}<a href="{{ first }}">First page</a>{% endif %}
{%- if let Some(next) = next %}<a href="{{ next }}" rel="next">Next page</a>{% endif -%}
</nav>{% endif %}"#
)]
pub(crate) struct Pager {
    first: Option<String>,
    next: Option<String>,
}

impl askama::filters::HtmlSafe for Filters<'_> {}
impl askama::filters::HtmlSafe for Head<'_> {}
impl askama::filters::HtmlSafe for Moving {}
impl askama::filters::HtmlSafe for Pager {}
