//! The one instant type: UTC, whole milliseconds, RFC 3339 in JSON, `timestamptz` in Postgres.
//!
//! Milliseconds everywhere means that a value survives memory → Postgres → JSON and back unchanged,
//! so instants can be compared for equality.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use bytes::BytesMut;
use jiff::fmt::rfc2822::DateTimeParser;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};
use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, schema};

/// Milliseconds between 1970-01-01 and 2000-01-01, Postgres's own epoch.
const POSTGRES_EPOCH_MS: i64 = 946_684_800_000;

/// An instant in UTC with millisecond precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `ms` milliseconds after 1970-01-01T00:00:00Z.
    pub const fn from_unix_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down: what a JWT carries.
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }

    /// Reads an RFC 3339 instant of any offset and precision, cut to milliseconds.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>()
            .ok()
            .map(|instant| Self(instant.as_millisecond()))
    }

    /// Reads a date as HTTP headers write it, in the one form that may still be sent:
    /// `Wed, 21 Oct 2026 07:28:00 GMT`.
    pub fn parse_http(text: &str) -> Option<Self> {
        static PARSER: DateTimeParser = DateTimeParser::new();
        let instant = PARSER.parse_timestamp(text).ok()?;
        text.ends_with(" GMT")
            .then(|| Self(instant.as_millisecond()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(instant) => write!(out, "{instant:.3}"),
            Err(_) => write!(out, "{} ms", self.0),
        }
    }
}

impl Add<Duration> for Timestamp {
    type Output = Timestamp;
    fn add(self, duration: Duration) -> Timestamp {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Timestamp;
    fn sub(self, duration: Duration) -> Timestamp {
        Self(
            self.0
                .saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("not an RFC 3339 instant"))
    }
}

impl ToSql for Timestamp {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        postgres_protocol::types::timestamp_to_sql((self.0 - POSTGRES_EPOCH_MS) * 1000, out);
        Ok(IsNull::No)
    }
    accepts!(TIMESTAMPTZ);
    to_sql_checked!();
}

impl<'a> FromSql<'a> for Timestamp {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        let micros = postgres_protocol::types::timestamp_from_sql(raw)?;
        Ok(Self(micros.div_euclid(1000) + POSTGRES_EPOCH_MS))
    }
    accepts!(TIMESTAMPTZ);
}

impl utoipa::PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(schema::Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("RFC 3339, UTC, with milliseconds"))
            .into()
    }
}

impl utoipa::ToSchema for Timestamp {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_reads_rfc_3339_with_milliseconds() {
        let instant = Timestamp::from_unix_ms(1_763_712_000_007);
        assert_eq!(instant.to_string(), "2025-11-21T08:00:00.007Z");
        assert_eq!(Timestamp::parse(&instant.to_string()), Some(instant));
        assert_eq!(
            Timestamp::parse("2025-11-21T15:00:00.0079+07:00"),
            Some(instant)
        );
        assert_eq!(Timestamp::parse("yesterday"), None);
    }

    #[test]
    fn reads_the_dates_of_http_headers() {
        let parse = |text| Timestamp::parse_http(text).map(Timestamp::unix_ms);
        let at = Some(1_792_567_680_000);
        assert_eq!(parse("Wed, 21 Oct 2026 07:28:00 GMT"), at);
        for none in [
            "",
            "7",
            "Wed, 21 Oct 2026 07:28:00 +0700",
            "Thu, 21 Oct 2026 07:28:00 GMT",
            "Wed, 32 Oct 2026 07:28:00 GMT",
            "Wednesday, 21-Oct-26 07:28:00 GMT",
        ] {
            assert_eq!(parse(none), None, "{none}");
        }
    }

    #[test]
    fn survives_the_postgres_format() {
        for ms in [-1, 0, 1_763_712_000_007] {
            let instant = Timestamp::from_unix_ms(ms);
            let mut raw = BytesMut::new();
            instant.to_sql(&Type::TIMESTAMPTZ, &mut raw).unwrap();
            assert_eq!(
                Timestamp::from_sql(&Type::TIMESTAMPTZ, &raw).unwrap(),
                instant
            );
        }
    }
}
