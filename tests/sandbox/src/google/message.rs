//! The schema of a send request.

use crate::upstream::{Field, Kind};

static TEXT: Kind = Kind::Text;

static NOTIFICATION: &[Field] = &[
    Field::optional("title", Kind::Text),
    Field::optional("body", Kind::Text),
    Field::optional("image", Kind::Text),
];

static LABEL: &[Field] = &[Field::optional("analytics_label", Kind::Text)];

static ANDROID_NOTIFICATION: &[Field] = &[
    Field::optional("title", Kind::Text),
    Field::optional("body", Kind::Text),
    Field::optional("icon", Kind::Text),
    Field::optional("color", Kind::Text),
    Field::optional("sound", Kind::Text),
    Field::optional("tag", Kind::Text),
    Field::optional("click_action", Kind::Text),
    Field::optional("body_loc_key", Kind::Text),
    Field::optional("body_loc_args", Kind::List(&TEXT)),
    Field::optional("title_loc_key", Kind::Text),
    Field::optional("title_loc_args", Kind::List(&TEXT)),
    Field::optional("channel_id", Kind::Text),
    Field::optional("notification_priority", Kind::Text),
    Field::optional("visibility", Kind::Text),
    Field::optional("notification_count", Kind::Integer),
    Field::optional("image", Kind::Text),
];

static ANDROID: &[Field] = &[
    Field::optional("collapse_key", Kind::Text),
    Field::optional("priority", Kind::Text),
    Field::optional("ttl", Kind::Text),
    Field::optional("restricted_package_name", Kind::Text),
    Field::optional("data", Kind::Texts),
    Field::optional("notification", Kind::Message(ANDROID_NOTIFICATION)),
    Field::optional("fcm_options", Kind::Message(LABEL)),
    Field::optional("direct_boot_ok", Kind::Flag),
];

static APNS_OPTIONS: &[Field] = &[
    Field::optional("analytics_label", Kind::Text),
    Field::optional("image", Kind::Text),
];

static APNS: &[Field] = &[
    Field::optional("headers", Kind::Texts),
    Field::optional("payload", Kind::Object),
    Field::optional("fcm_options", Kind::Message(APNS_OPTIONS)),
    Field::optional("live_activity_token", Kind::Text),
];

static WEBPUSH_OPTIONS: &[Field] = &[
    Field::optional("link", Kind::Text),
    Field::optional("analytics_label", Kind::Text),
];

static WEBPUSH: &[Field] = &[
    Field::optional("headers", Kind::Texts),
    Field::optional("data", Kind::Texts),
    Field::optional("notification", Kind::Object),
    Field::optional("fcm_options", Kind::Message(WEBPUSH_OPTIONS)),
];

static MESSAGE: &[Field] = &[
    Field::optional("data", Kind::Texts),
    Field::optional("notification", Kind::Message(NOTIFICATION)),
    Field::optional("android", Kind::Message(ANDROID)),
    Field::optional("apns", Kind::Message(APNS)),
    Field::optional("webpush", Kind::Message(WEBPUSH)),
    Field::optional("fcm_options", Kind::Message(LABEL)),
    Field::optional("token", Kind::Text),
    Field::optional("topic", Kind::Text),
    Field::optional("condition", Kind::Text),
    Field::optional("fid", Kind::Text),
];

/// A send request.
pub(super) static SEND: &[Field] = &[
    Field::optional("validate_only", Kind::Flag),
    Field::required("message", Kind::Message(MESSAGE)),
];
