//! The mail as HTML. What carries meaning is inline, because Gmail and Outlook drop style sheets; the one sheet is for
//! dark mode. Escaping is askama's.

use askama::Template;

use super::verdict::Mood;
use super::view::View;

#[derive(Template)]
#[template(path = "report.html")]
struct Html<'a> {
    view: &'a View,
}

/// The whole page.
pub(super) fn of(view: &View) -> String {
    // A template that cannot be rendered must not cost the report its verdict.
    Html { view }.render().unwrap_or_else(|error| format!("{}. {} ({error})", view.title, view.meaning))
}

impl Mood {
    /// Of bars and words: at least 4.5:1 on white (WCAG 2.2, 1.4.3).
    fn colour(self) -> &'static str {
        match self {
            Self::Good => "#1a7f37",
            Self::Warning => "#8a5c00",
            Self::Bad => "#cf222e",
            Self::Plan => "#0969da",
            Self::Quiet => "#59636e",
        }
    }

    /// The class that dark mode knows.
    fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
            Self::Plan => "plan",
            Self::Quiet => "quiet",
        }
    }
}
