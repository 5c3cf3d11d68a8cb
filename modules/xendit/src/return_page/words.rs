//! What the pages say, in both languages.

use halobestie_core::language::Language;
use halobestie_core::ports::PaymentStatus;

use super::Outcome;

/// What a page says.
pub(super) struct Words {
    pub(super) icon: Icon,
    pub(super) title: &'static str,
    pub(super) text: &'static str,
}

#[derive(Clone, Copy)]
pub(super) enum Icon {
    Done,
    Waiting,
    Notice,
}

impl Icon {
    /// Its lines, in a circle of 24.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Done => "M7.5 12.5l3 3 6-7",
            Self::Waiting => "M12 7v5l3 2",
            Self::Notice => "M12 7.5v5.5M12 16.2v.1",
        }
    }
}

/// The text in a language.
pub(super) const fn pick(
    language: Language,
    indonesian: &'static str,
    english: &'static str,
) -> &'static str {
    match language {
        Language::Indonesian => indonesian,
        Language::English => english,
    }
}

/// What is said to whoever has no link of ours.
pub(super) const fn neutral(language: Language) -> Words {
    Words {
        icon: Icon::Notice,
        title: pick(language, "Lihat di aplikasi", "Look in the app"),
        text: pick(
            language,
            "Status pembayaranmu ada di aplikasi halobestie.",
            "The state of your payment is in the halobestie app.",
        ),
    }
}

/// What is said of a payment.
pub(super) fn words(status: PaymentStatus, outcome: Outcome, language: Language) -> Words {
    let (icon, indonesian, english) = texts(status, outcome);
    Words {
        icon,
        title: pick(language, indonesian.0, english.0),
        text: pick(language, indonesian.1, english.1),
    }
}

type Text = (&'static str, &'static str);

/// The table of all words: longer than a function may be, and nothing but a table.
fn texts(status: PaymentStatus, outcome: Outcome) -> (Icon, Text, Text) {
    match (status, outcome) {
        (PaymentStatus::Creating | PaymentStatus::Pending, Outcome::Success) => (
            Icon::Waiting,
            (
                "Menunggu konfirmasi",
                "Sudah membayar? Kami sedang menunggu kabar dari penyedia pembayaran. Biasanya hanya beberapa detik.",
            ),
            (
                "Waiting for confirmation",
                "Have you paid? We are waiting to hear from the payment provider. It usually takes a few seconds.",
            ),
        ),
        (PaymentStatus::Creating | PaymentStatus::Pending, Outcome::Failure) => (
            Icon::Notice,
            ("Belum dibayar", "Pembayaran ini belum selesai."),
            ("Not paid yet", "This payment has not been completed."),
        ),
        (PaymentStatus::Paid, _) => (
            Icon::Done,
            (
                "Pembayaran diterima",
                "Terima kasih! Sesimu siap di aplikasi.",
            ),
            (
                "Payment received",
                "Thank you! Your session is ready in the app.",
            ),
        ),
        (PaymentStatus::Expired, _) => (
            Icon::Notice,
            (
                "Waktu pembayaran habis",
                "Tidak ada yang dibayar. Kalau kamu sempat membayar, uangmu akan dikembalikan.",
            ),
            (
                "The time to pay is over",
                "Nothing was paid. If you did pay, your money comes back to you.",
            ),
        ),
        (PaymentStatus::Failed, _) => (
            Icon::Notice,
            (
                "Pembayaran gagal dibuat",
                "Tidak ada yang dibayar. Silakan coba lagi dari aplikasi.",
            ),
            (
                "The payment could not be made",
                "Nothing was paid. Please try again from the app.",
            ),
        ),
        (PaymentStatus::RefundPending, _) => (
            Icon::Waiting,
            (
                "Uangmu sedang dikembalikan",
                "Pengembalian bisa memakan waktu beberapa hari kerja.",
            ),
            (
                "Your money is on its way back",
                "A refund can take a few working days.",
            ),
        ),
        (PaymentStatus::Refunded, _) => (
            Icon::Done,
            (
                "Uangmu sudah dikembalikan",
                "Dana bisa baru terlihat di rekeningmu beberapa hari lagi.",
            ),
            (
                "Your money was given back",
                "It may take a few days until your account shows it.",
            ),
        ),
        (PaymentStatus::NeedsReview, _) => (
            Icon::Waiting,
            (
                "Pembayaranmu sedang kami periksa",
                "Ada yang perlu kami cek dulu. Uangmu aman, dan kami akan menyelesaikannya.",
            ),
            (
                "We are looking at your payment",
                "There is something to check first. Your money is safe, and we will sort it out.",
            ),
        ),
    }
}
