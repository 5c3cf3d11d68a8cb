//! Prints the story line by line, each step with its time, and the one that went wrong in full.

use std::fmt::Arguments;
use std::future::Future;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::trouble::Trouble;

/// Where the times begin.
const STEP_COLUMNS: usize = 58;

/// The colours of a terminal (ANSI SGR), empty where the output is not one.
struct Palette {
    good: &'static str,
    bad: &'static str,
    faint: &'static str,
    plain: &'static str,
}

const COLOURED: Palette = Palette {
    good: "\x1b[32m",
    bad: "\x1b[31m",
    faint: "\x1b[2m",
    plain: "\x1b[0m",
};
const UNCOLOURED: Palette = Palette {
    good: "",
    bad: "",
    faint: "",
    plain: "",
};

/// Tells the story to a writer.
pub(crate) struct Narrator {
    out: Box<dyn Write + Send>,
    palette: &'static Palette,
    began: Instant,
    steps: u32,
}

impl Narrator {
    /// A narrator on standard output, coloured where that is a terminal.
    pub(crate) fn on_stdout() -> Self {
        let out = std::io::stdout();
        let palette = if out.is_terminal() {
            &COLOURED
        } else {
            &UNCOLOURED
        };
        Self {
            out: Box::new(out),
            palette,
            began: Instant::now(),
            steps: 0,
        }
    }

    /// Begins a part of the story.
    pub(crate) fn act(&mut self, title: &str) -> Result<()> {
        self.line(format_args!("\n{title}"))
    }

    /// Says something that is not a step.
    pub(crate) fn note(&mut self, text: &str) -> Result<()> {
        let Palette { faint, plain, .. } = self.palette;
        self.line(format_args!("  {faint}· {text}{plain}"))
    }

    /// Does one step and prints how it went.
    pub(crate) async fn step<T>(
        &mut self,
        what: &str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let began = Instant::now();
        let outcome = work.await;
        let took = began.elapsed();
        self.steps += 1;
        match &outcome {
            Ok(_) => self.verdict(self.palette.good, "✓", what, took)?,
            Err(error) => {
                self.verdict(self.palette.bad, "✗", what, took)?;
                self.explain(error)?;
            }
        }
        outcome.with_context(|| format!("the story stopped at \"{what}\""))
    }

    /// The last line of a story that went well.
    pub(crate) fn summary(&mut self, text: &str) -> Result<()> {
        let Palette { good, plain, .. } = self.palette;
        let (steps, total_ms) = (self.steps, self.began.elapsed().as_millis());
        self.line(format_args!(
            "\n{good}✓{plain} {steps} steps in {total_ms} ms: {text}"
        ))
    }

    fn verdict(&mut self, colour: &str, mark: &str, what: &str, took: Duration) -> Result<()> {
        let Palette { faint, plain, .. } = self.palette;
        let took_ms = took.as_millis();
        self.line(format_args!(
            "  {colour}{mark}{plain} {what:<STEP_COLUMNS$}{faint}{took_ms:>6} ms{plain}"
        ))
    }

    fn explain(&mut self, error: &anyhow::Error) -> Result<()> {
        let Some(trouble) = error.downcast_ref::<Trouble>() else {
            return self.line(format_args!("      {error:#}"));
        };
        self.line(format_args!("      expected  {}", trouble.expected))?;
        self.line(format_args!("      got       {}", trouble.came))?;
        self.line(format_args!("      do        {}", trouble.advice))
    }

    fn line(&mut self, text: Arguments<'_>) -> Result<()> {
        writeln!(self.out, "{text}").context("cannot print the story")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::super::trouble::wrong;
    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Page {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    fn narrator(page: &Page) -> Narrator {
        let out = Box::new(page.clone());
        Narrator {
            out,
            palette: &UNCOLOURED,
            began: Instant::now(),
            steps: 0,
        }
    }

    #[tokio::test]
    async fn a_step_is_one_line_with_its_time_in_the_same_column() {
        let page = Page::default();
        let mut narrator = narrator(&page);
        narrator.step("short", async { Ok(()) }).await.unwrap();
        narrator
            .step("rather longer", async { Ok(()) })
            .await
            .unwrap();
        let text = page.text();
        let columns: Vec<_> = text.lines().map(|line| line.chars().count()).collect();
        assert_eq!(columns[0], columns[1], "{text}");
        assert!(
            text.starts_with("  ✓ short ") && text.ends_with(" ms\n"),
            "{text}"
        );
    }

    #[tokio::test]
    async fn a_wrong_step_says_what_was_expected_what_came_and_what_to_do() {
        let page = Page::default();
        let step = async { Err::<(), _>(wrong("an offer", "silence", "wake the mitra")) };
        let error = narrator(&page)
            .step("the mitra gets the offer", step)
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the story stopped at \"the mitra gets the offer\""
        );
        let text = page.text();
        assert!(text.starts_with("  ✗ the mitra gets the offer"), "{text}");
        for line in [
            "expected  an offer",
            "got       silence",
            "do        wake the mitra",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
