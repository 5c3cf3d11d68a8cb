//! What a browser that comes back from paying is shown. Pure: a payment's state in, a page out.
//!
//! It says what is true here, not what the browser's way back pretends. Nothing on it is of anybody
//! but whoever holds the link: a sum and a state, no name and no id but in the link to the app.

use halobestie_core::http::html::escape;
use halobestie_core::language::Language;
use halobestie_core::ports::PaymentStatus;

use crate::ledger::rupiah;

/// The page's style; its hash is in the page's policy.
pub(crate) const STYLE: &str = include_str!("handlers/returns.css");

/// Which of the two links was followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The payer's browser was sent here after paying.
    Success,
    /// It was sent here otherwise.
    Failure,
}

/// A payment, to whoever holds its link.
pub(crate) struct Shown<'a> {
    pub(crate) status: PaymentStatus,
    /// Whole rupiah.
    pub(crate) amount: i64,
    /// Where it can still be paid.
    pub(crate) invoice_url: Option<&'a str>,
}

/// Seconds until a page that waits for its end loads itself again.
const REFRESH_SECONDS: u8 = 4;

/// What a page says.
struct Words {
    icon: Icon,
    title: &'static str,
    text: &'static str,
}

#[derive(Clone, Copy)]
enum Icon {
    Done,
    Waiting,
    Notice,
}

impl Icon {
    const fn path(self) -> &'static str {
        match self {
            Self::Done => "M7.5 12.5l3 3 6-7",
            Self::Waiting => "M12 7v5l3 2",
            Self::Notice => "M12 7.5v5.5M12 16.2v.1",
        }
    }
}

/// Writes the page. `None`: nobody's payment, as far as this browser may know. `app_link` opens the app.
pub(crate) fn render(
    shown: Option<&Shown<'_>>,
    outcome: Outcome,
    language: Language,
    app_link: &str,
) -> String {
    let words = match shown {
        Some(shown) => words(shown.status, outcome, language),
        None => neutral(language),
    };
    let waits = shown.is_some_and(|it| is_waiting(it.status));
    let refresh = match waits {
        true => format!("<meta http-equiv=\"refresh\" content=\"{REFRESH_SECONDS}\">"),
        false => String::new(),
    };
    let sum = shown.map_or_else(String::new, |it| {
        format!("<p class=\"sum\">{}</p>", rupiah(it.amount))
    });
    let pay = shown.and_then(|it| pay_link(it, outcome, language));
    format!(
        "<!doctype html><html lang=\"{lang}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\">{refresh}\
         <title>{title} · halobestie</title><style>{STYLE}</style></head>\
         <body><main role=\"main\"><svg viewBox=\"0 0 24 24\" aria-hidden=\"true\">\
         <circle cx=\"12\" cy=\"12\" r=\"10\"/><path d=\"{icon}\"/></svg>\
         <h1>{title}</h1>{sum}<p>{text}</p>{pay}\
         <a{class} href=\"{link}\">{open}</a>{soft}</main></body></html>\n",
        lang = language.tag(),
        title = words.title,
        icon = words.icon.path(),
        text = words.text,
        class = if pay.is_some() {
            " class=\"other\""
        } else {
            ""
        },
        pay = pay.unwrap_or_default(),
        link = escape(app_link),
        open = pick(language, "Buka aplikasi", "Open the app"),
        soft = if waits { soft(language) } else { "" },
    )
}

const fn is_waiting(status: PaymentStatus) -> bool {
    matches!(status, PaymentStatus::Creating | PaymentStatus::Pending)
}

/// For whoever came back without paying. Only to a page of the web.
fn pay_link(shown: &Shown<'_>, outcome: Outcome, language: Language) -> Option<String> {
    let url = shown.invoice_url.filter(|url| {
        let is_web = url.starts_with("https://") || url.starts_with("http://");
        is_web && outcome == Outcome::Failure && shown.status == PaymentStatus::Pending
    })?;
    let text = pick(language, "Lanjutkan pembayaran", "Continue paying");
    Some(format!(
        "<a href=\"{}\" rel=\"noreferrer\">{text}</a>",
        escape(url)
    ))
}

const fn pick(language: Language, indonesian: &'static str, english: &'static str) -> &'static str {
    match language {
        Language::Indonesian => indonesian,
        Language::English => english,
    }
}

const fn soft(language: Language) -> &'static str {
    pick(
        language,
        "<p class=\"soft\">Halaman ini memperbarui sendiri.</p>",
        "<p class=\"soft\">This page updates itself.</p>",
    )
}

const fn neutral(language: Language) -> Words {
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

fn words(status: PaymentStatus, outcome: Outcome, language: Language) -> Words {
    let (icon, indonesian, english) = texts(status, outcome);
    Words {
        icon,
        title: pick(language, indonesian.0, english.0),
        text: pick(language, indonesian.1, english.1),
    }
}

type Text = (&'static str, &'static str);

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

#[cfg(test)]
mod tests {
    use super::*;

    fn page(status: PaymentStatus, outcome: Outcome, language: Language) -> String {
        let shown = Shown {
            status,
            amount: 25_000,
            invoice_url: Some("https://checkout.test/\"><script>"),
        };
        render(Some(&shown), outcome, language, "halobestie://payments/1")
    }

    #[test]
    fn every_state_has_a_page_of_its_own_in_both_languages() {
        for outcome in [Outcome::Success, Outcome::Failure] {
            let mut titles = std::collections::HashSet::new();
            for status in PaymentStatus::ALL {
                for language in [Language::Indonesian, Language::English] {
                    let page = page(status, outcome, language);
                    assert!(page.contains(&format!("<html lang=\"{}\">", language.tag())));
                    assert!(page.contains("Rp 25.000") && page.contains("halobestie://payments/1"));
                    assert!(!page.contains("<script"), "{page}");
                    titles.insert(page.split("<h1>").nth(1).unwrap().to_owned());
                }
            }
            // Creating and pending look alike to whoever pays, but for the link.
            assert!(titles.len() >= 14, "{}", titles.len());
        }
    }

    #[test]
    fn only_what_waits_for_its_end_loads_itself_again() {
        for status in PaymentStatus::ALL {
            let page = page(status, Outcome::Success, Language::English);
            assert_eq!(
                page.contains("http-equiv=\"refresh\""),
                is_waiting(status),
                "{status:?}"
            );
        }
    }

    #[test]
    fn paying_goes_on_only_from_the_failure_page_of_a_payment_that_waits() {
        for status in PaymentStatus::ALL {
            let failed = page(status, Outcome::Failure, Language::English);
            assert_eq!(
                failed.contains("Continue paying"),
                status == PaymentStatus::Pending
            );
            assert!(!page(status, Outcome::Success, Language::English).contains("Continue paying"));
        }
        let shown = Shown {
            status: PaymentStatus::Pending,
            amount: 1,
            invoice_url: Some("javascript:alert(1)"),
        };
        let page = render(Some(&shown), Outcome::Failure, Language::English, "x://");
        assert!(!page.contains("javascript"));
    }

    #[test]
    fn nobodys_payment_says_nothing() {
        let page = render(
            None,
            Outcome::Success,
            Language::English,
            "halobestie://payments",
        );
        assert!(page.contains("Look in the app") && !page.contains("Rp"));
    }
}
