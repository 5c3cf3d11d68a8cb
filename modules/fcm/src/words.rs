//! What a push says, in Indonesian and English. Pure.
//!
//! A locked screen is read by whoever stands beside it: names of the other side, and what a message says
//! where that was allowed, are all that is told.

use halobestie_core::Timestamp;
use halobestie_core::language::Language;
use halobestie_core::ports::{News, PaymentStatus};

/// Of a message's text, this much is shown.
const TEXT_CHARS_MAX: usize = 200;
/// Of a name.
const NAME_CHARS_MAX: usize = 60;

/// What is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) title: String,
    pub(crate) body: String,
}

/// What waits in a session, in words' terms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mail {
    /// How many messages.
    pub(crate) count: i64,
    /// Who wrote the last one.
    pub(crate) sender: Option<String>,
    /// What it says, where that may be shown.
    pub(crate) text: Option<String>,
}

/// The words for something that happened; `None` for what is not shown.
pub(crate) fn words(
    news: &News,
    mail: Option<&Mail>,
    language: Language,
    now: Timestamp,
) -> Option<Words> {
    let id = language == Language::Indonesian;
    let pick = |indonesian: &str, english: &str| if id { indonesian } else { english }.to_owned();
    let (title, body) = match news {
        News::OfferGone { .. } => return None,
        News::OfferNew { .. } => (
            pick("Ada permintaan chat baru", "A new chat request"),
            pick(
                "Buka aplikasi untuk menerimanya sebelum diambil mitra lain.",
                "Open the app to accept it before somebody else does.",
            ),
        ),
        News::MessageNew { .. } => return Some(of_mail(mail?, language)),
        News::SessionExpiring { expires_at, .. } => {
            let minutes = expires_at.since(now).as_secs().div_ceil(60).max(1);
            let plural = if minutes == 1 { "" } else { "s" };
            (
                pick("Sesi hampir berakhir", "Your session is about to end"),
                pick(
                    &format!("Tersisa kurang lebih {minutes} menit."),
                    &format!("About {minutes} minute{plural} left."),
                ),
            )
        }
        News::SessionUpdated {
            status, end_reason, ..
        } => return of_session(status, end_reason.as_deref(), pick),
        News::PaymentUpdated { status, .. } => return of_payment(*status, pick),
    };
    Some(Words { title, body })
}

fn of_mail(mail: &Mail, language: Language) -> Words {
    let id = language == Language::Indonesian;
    let sender = mail.sender.as_deref().map(|it| cut(it, NAME_CHARS_MAX));
    let sender = sender.filter(|it| !it.trim().is_empty());
    let title = match (sender, id) {
        (Some(sender), _) => sender,
        (None, true) => "Pesan baru".to_owned(),
        (None, false) => "New message".to_owned(),
    };
    let text = mail.text.as_deref().map(|it| cut(it, TEXT_CHARS_MAX));
    let body = match (text, mail.count, id) {
        (Some(text), ..) if !text.trim().is_empty() => text,
        (_, 1, true) => "Mengirim pesan kepada Anda.".to_owned(),
        (_, 1, false) => "Sent you a message.".to_owned(),
        (_, count, true) => format!("{count} pesan belum dibaca."),
        (_, count, false) => format!("{count} unread messages."),
    };
    Words { title, body }
}

fn of_session(
    status: &str,
    end_reason: Option<&str>,
    pick: impl Fn(&str, &str) -> String,
) -> Option<Words> {
    let (title, body) = match (status, end_reason) {
        ("pending_payment", _) => (
            pick("Mitra ditemukan", "We found somebody for you"),
            pick(
                "Selesaikan pembayaran untuk memulai sesi.",
                "Complete the payment to begin the session.",
            ),
        ),
        ("active", _) => (
            pick("Sesi berjalan", "Your session is on"),
            pick(
                "Buka aplikasi untuk mulai bercakap.",
                "Open the app to talk.",
            ),
        ),
        ("rerouting", _) => (
            pick("Mencari mitra lain", "Looking for somebody else"),
            pick(
                "Waktu sesi dihentikan sementara sampai mitra lain siap.",
                "The clock of the session stands still until somebody else is ready.",
            ),
        ),
        ("ended", Some("payment_expired")) => (
            pick("Sesi dibatalkan", "Session cancelled"),
            pick(
                "Pembayaran tidak diterima tepat waktu.",
                "The payment did not come in time.",
            ),
        ),
        ("ended", Some("reroute_failed")) => (
            pick("Sesi berakhir", "Session over"),
            pick(
                "Tidak ada mitra lain yang tersedia. Sisa waktu dikembalikan.",
                "Nobody else was available. The time that was left is credited.",
            ),
        ),
        ("ended", Some("expired")) => (
            pick("Sesi berakhir", "Session over"),
            pick("Waktu sesi telah habis.", "The time of the session is up."),
        ),
        ("ended", _) => (
            pick("Sesi berakhir", "Session over"),
            pick("Sesi Anda telah diakhiri.", "Your session was ended."),
        ),
        _ => return None,
    };
    Some(Words { title, body })
}

fn of_payment(status: PaymentStatus, pick: impl Fn(&str, &str) -> String) -> Option<Words> {
    let (title, body) = match status {
        PaymentStatus::Creating => return None,
        PaymentStatus::Pending => (
            pick("Menunggu pembayaran", "Waiting for your payment"),
            pick("Tagihan Anda siap dibayar.", "Your invoice is ready."),
        ),
        PaymentStatus::Paid => (
            pick("Pembayaran diterima", "Payment received"),
            pick("Terima kasih.", "Thank you."),
        ),
        PaymentStatus::Expired => (
            pick("Pembayaran kedaluwarsa", "Payment expired"),
            pick(
                "Tagihan tidak dibayar tepat waktu.",
                "The invoice was not paid in time.",
            ),
        ),
        PaymentStatus::Failed => (
            pick("Pembayaran gagal", "Payment failed"),
            pick(
                "Tagihan tidak dapat dibuat. Silakan coba lagi.",
                "The invoice could not be made. Please try again.",
            ),
        ),
        PaymentStatus::RefundPending => (
            pick("Pengembalian dana diproses", "Refund under way"),
            pick(
                "Dana Anda sedang dikembalikan.",
                "Your money is on its way back.",
            ),
        ),
        PaymentStatus::Refunded => (
            pick("Dana dikembalikan", "Refunded"),
            pick("Pengembalian dana selesai.", "Your money was given back."),
        ),
        PaymentStatus::NeedsReview => (
            pick("Pembayaran diperiksa", "Payment under review"),
            pick(
                "Kami sedang memeriksa pembayaran Anda.",
                "We are looking into your payment.",
            ),
        ),
    };
    Some(Words { title, body })
}

/// A text for one line, cut to so many characters.
fn cut(text: &str, chars_max: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|it| !it.is_control()).collect();
    if line.chars().count() <= chars_max {
        return line;
    }
    let mut cut: String = line.chars().take(chars_max - 1).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_ms(0);

    fn message() -> News {
        News::MessageNew {
            session_id: Uuid::nil(),
            seq: 7,
        }
    }

    fn of(mail: &Mail, language: Language) -> (String, String) {
        let words = words(&message(), Some(mail), language, NOW).unwrap();
        (words.title, words.body)
    }

    #[test]
    fn a_message_is_told_by_its_sender_and_how_many_there_are() {
        let mail = |count| Mail {
            count,
            sender: Some("Ayu".into()),
            text: None,
        };
        let body = |count, language| of(&mail(count), language).1;
        assert_eq!(of(&mail(1), Language::English).0, "Ayu");
        assert_eq!(body(1, Language::English), "Sent you a message.");
        assert_eq!(body(3, Language::English), "3 unread messages.");
        assert_eq!(body(1, Language::Indonesian), "Mengirim pesan kepada Anda.");
        assert_eq!(body(3, Language::Indonesian), "3 pesan belum dibaca.");
    }

    #[test]
    fn a_text_that_may_be_shown_is_shown_in_short_and_on_one_line() {
        let mail = Mail {
            count: 2,
            sender: None,
            text: Some(format!("hai\n\nkak {}", "x".repeat(1000))),
        };
        let (title, body) = of(&mail, Language::Indonesian);
        assert_eq!(title, "Pesan baru");
        assert!(
            body.starts_with("hai kak xx") && body.ends_with('…'),
            "{body}"
        );
        assert_eq!(body.chars().count(), TEXT_CHARS_MAX);
    }

    #[test]
    fn the_end_is_told_in_minutes() {
        let expiring = |seconds| News::SessionExpiring {
            session_id: Uuid::nil(),
            expires_at: NOW + std::time::Duration::from_secs(seconds),
        };
        let body = |seconds| words(&expiring(seconds), None, Language::English, NOW);
        assert_eq!(body(178).unwrap().body, "About 3 minutes left.");
        assert_eq!(body(58).unwrap().body, "About 1 minute left.");
    }

    #[test]
    fn every_state_has_words_in_both_languages_or_in_none() {
        let session = |status: &str| News::SessionUpdated {
            session_id: Uuid::nil(),
            status: status.into(),
            end_reason: None,
        };
        let payment = |status| News::PaymentUpdated {
            payment_id: Uuid::nil(),
            session_id: Uuid::nil(),
            purpose: halobestie_core::ports::Purpose::Session,
            status,
            expires_at: None,
        };
        let sessions = ["pending_payment", "active", "rerouting", "ended"].map(session);
        let payments = PaymentStatus::ALL.map(payment);
        for news in sessions.into_iter().chain(payments) {
            let of = |language| words(&news, None, language, NOW);
            let (indonesian, english) = (of(Language::Indonesian), of(Language::English));
            match &news {
                News::PaymentUpdated {
                    status: PaymentStatus::Creating,
                    ..
                } => assert_eq!((indonesian, english), (None, None)),
                _ => assert!(
                    indonesian.is_some() && english.is_some_and(|it| Some(it) != indonesian),
                    "{news:?}"
                ),
            }
        }
    }
}
