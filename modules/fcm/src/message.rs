//! A push as FCM takes it. Pure.
//!
//! The data tell the app what happened: every value is a text, and the app asks for the rest. What is
//! shown rides beside it, so a sleeping app need not wake to show it. The whole stays far below 4 KB:
//! nothing in it is longer than the words that are cut.

use std::time::Duration;

use halobestie_core::Timestamp;
use halobestie_core::ports::{News, Platform};
use serde_json::{Map, Value, json};

use crate::words::{Mail, Words};
use crate::worth;

/// What FCM allows: 28 days.
const TTL_MAX: Duration = Duration::from_secs(28 * 24 * 3600);

/// A push to one device.
pub(crate) struct Push<'a> {
    /// The registration token.
    pub(crate) token: &'a str,
    /// What the device is.
    pub(crate) platform: Platform,
    /// What happened.
    pub(crate) news: &'a News,
    /// When.
    pub(crate) at: Timestamp,
    /// What is shown, if anything.
    pub(crate) words: Option<&'a Words>,
    /// What waits, for a message.
    pub(crate) mail: Option<&'a Mail>,
}

impl Push<'_> {
    /// The request's body.
    pub(crate) fn body(&self, now: Timestamp) -> Value {
        let mut message = json!({ "token": self.token, "data": self.data(now) });
        if let Some(words) = self.words {
            message["notification"] = json!({ "title": words.title, "body": words.body });
        }
        let ends = worth::ends(self.news, self.at);
        match self.platform {
            Platform::Android => message["android"] = self.android(ends.since(now)),
            Platform::Ios => message["apns"] = self.apns(ends),
            Platform::Web => message["webpush"] = self.webpush(ends.since(now)),
        }
        json!({ "message": message })
    }

    fn data(&self, now: Timestamp) -> Map<String, Value> {
        let mut data = Map::new();
        let mut put = |key: &str, value: String| data.insert(key.to_owned(), value.into());
        put("type", self.news.name().to_owned());
        match self.news {
            News::OfferNew {
                request_id,
                expires_at,
            } => {
                put("request_id", request_id.to_string());
                put("expires_at", expires_at.to_string());
            }
            News::OfferGone { request_id, reason } => {
                put("request_id", request_id.to_string());
                put("reason", reason.clone());
            }
            News::MessageNew { session_id, seq } => {
                put("session_id", session_id.to_string());
                put("seq", seq.to_string());
                put("unread", self.unread().to_string());
            }
            News::SessionExpiring {
                session_id,
                expires_at,
            } => {
                put("session_id", session_id.to_string());
                put("expires_at", expires_at.to_string());
                let remaining = expires_at.since(now).as_secs();
                put("remaining_seconds", remaining.to_string());
            }
            News::SessionUpdated {
                session_id,
                status,
                end_reason,
            } => {
                put("session_id", session_id.to_string());
                put("status", status.clone());
                if let Some(reason) = end_reason {
                    put("end_reason", reason.clone());
                }
            }
            News::PaymentUpdated {
                payment_id,
                session_id,
                purpose,
                status,
                ..
            } => {
                put("payment_id", payment_id.to_string());
                put("session_id", session_id.to_string());
                put("purpose", purpose.as_str().to_owned());
                put("status", status.as_str().to_owned());
            }
        }
        data
    }

    fn unread(&self) -> i64 {
        self.mail.map_or(0, |mail| mail.count)
    }

    fn android(&self, ttl: Duration) -> Value {
        let place = worth::place(self.news);
        let priority = if worth::is_urgent(self.news) {
            "high"
        } else {
            "normal"
        };
        let mut android = json!({
            "priority": priority,
            "ttl": format!("{}s", ttl.min(TTL_MAX).as_secs()),
            "collapse_key": place,
        });
        if self.words.is_some() {
            // The tag is what `offer.gone` takes away, and what the next message replaces.
            let mut shown = json!({ "tag": place, "channel_id": channel(self.news) });
            if self.mail.is_some() {
                shown["notification_count"] = self.unread().into();
            }
            android["notification"] = shown;
        }
        android
    }

    fn apns(&self, ends: Timestamp) -> Value {
        let place = worth::place(self.news);
        let is_shown = self.words.is_some();
        let (kind, priority) = if is_shown {
            ("alert", "10")
        } else {
            ("background", "5")
        };
        let mut aps = if is_shown {
            json!({ "sound": "default", "thread-id": place })
        } else {
            json!({ "content-available": 1 })
        };
        if self.mail.is_some() {
            aps["badge"] = self.unread().into();
        }
        json!({
            "headers": {
                "apns-push-type": kind,
                "apns-priority": priority,
                "apns-expiration": ends.unix_seconds().to_string(),
                "apns-collapse-id": place,
            },
            "payload": { "aps": aps },
        })
    }

    fn webpush(&self, ttl: Duration) -> Value {
        let urgency = if worth::is_urgent(self.news) {
            "high"
        } else {
            "normal"
        };
        let mut webpush = json!({ "headers": {
            "TTL": ttl.min(TTL_MAX).as_secs().to_string(),
            "Urgency": urgency,
        }});
        if self.words.is_some() {
            webpush["notification"] = json!({ "tag": worth::place(self.news) });
        }
        webpush
    }
}

/// What people switch on and off on Android.
const fn channel(news: &News) -> &'static str {
    match news {
        News::OfferNew { .. } | News::OfferGone { .. } => "offers",
        News::MessageNew { .. } => "messages",
        News::SessionExpiring { .. } | News::SessionUpdated { .. } => "sessions",
        News::PaymentUpdated { .. } => "payments",
    }
}

/// A message that FCM checks and gives to nobody.
pub(crate) fn trial() -> Value {
    json!({ "validate_only": true, "message": {
        "topic": "halobestie-doctor",
        "notification": { "title": "halobestie", "body": "doctor" },
    }})
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use halobestie_core::language::Language;
    use halobestie_core::ports::{PaymentStatus, Purpose};

    use super::*;
    use crate::words::words;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_800_000_000_000);

    fn all(later: Timestamp) -> Vec<News> {
        let id = Uuid::from_u128(u128::MAX);
        vec![
            News::OfferNew {
                request_id: id,
                expires_at: later,
            },
            News::OfferGone {
                request_id: id,
                reason: "cancelled".into(),
            },
            News::MessageNew {
                session_id: id,
                seq: i64::MAX,
            },
            News::SessionExpiring {
                session_id: id,
                expires_at: later,
            },
            News::SessionUpdated {
                session_id: id,
                status: "ended".into(),
                end_reason: Some("payment_expired".into()),
            },
            News::PaymentUpdated {
                payment_id: id,
                session_id: id,
                purpose: Purpose::Extension,
                status: PaymentStatus::NeedsReview,
                expires_at: Some(later),
            },
        ]
    }

    /// Keys and values, all the way down.
    fn bytes(value: &Value) -> usize {
        match value {
            Value::Null => 0,
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(bytes).sum(),
            Value::Object(fields) => fields.iter().map(|(key, it)| key.len() + bytes(it)).sum(),
            other => other.to_string().len(),
        }
    }

    proptest! {
        #[test]
        fn whatever_is_in_it_a_push_is_small_and_its_data_are_texts(
            sender in ".{0,500}",
            text in proptest::option::of(".{0,5000}"),
            count in 1i64..i64::MAX,
            after_ms in -10_000i64..100_000_000_000,
        ) {
            let mail = Mail { count, sender: Some(sender), text };
            let later = Timestamp::from_unix_ms(NOW.unix_ms() + after_ms);
            for news in all(later) {
                let is_message = matches!(news, News::MessageNew { .. });
                let mail = is_message.then_some(&mail);
                for platform in [Platform::Android, Platform::Ios, Platform::Web] {
                    let words = words(&news, mail, Language::Indonesian, NOW);
                    let push = Push {
                        token: "t", platform, news: &news, at: NOW, words: words.as_ref(), mail,
                    };
                    let body = push.body(NOW);
                    let message = &body["message"];
                    prop_assert!(bytes(message) < 2_500, "{}", bytes(message));
                    let data = message["data"].as_object().unwrap();
                    prop_assert!(data.values().all(Value::is_string));
                }
            }
        }
    }

    #[test]
    fn what_takes_the_place_of_another_has_its_name_and_names_are_short() {
        let places: Vec<_> = all(NOW).iter().map(worth::place).collect();
        assert_eq!(places[0], places[1]);
        assert!(places.iter().all(|it| it.len() <= 64), "{places:?}");
    }
}
