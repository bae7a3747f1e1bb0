//! Strings from AWS are hostile until escaped: a tag or a name can carry terminal commands, text that runs backwards,
//! or letters that cannot be seen. This module makes them visible; it must never drop a character silently.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `text` with every character that is not simply shown replaced by its code point (`<U+202E>`): controls (line
/// breaks included), marks of writing direction, invisible characters.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) {
            // Writing to a String cannot fail.
            let _ = write!(shown, "<U+{:04X}>", c as u32);
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Controls (Cc), format characters and separators (Cf, Zl, Zp), variation selectors, fillers and private use: what
/// moves the cursor, turns the direction of writing, or is not seen at all (Unicode 16, general categories).
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{ffa0}' | '\u{feff}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{e000}'..='\u{f8ff}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1345f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_text_of_any_script_stays_as_it_is() {
        for text in ["acme-logs", "Zürich", "東京 バケット", "данные", "a b.c/d:e", "🚀"] {
            assert!(matches!(visible(text), Cow::Borrowed(t) if t == text));
        }
    }

    #[test]
    fn terminal_commands_directions_and_invisible_letters_are_shown() {
        let shown = visible("a\u{1b}[2Jb\u{202e}c\u{200b}d\ne\u{9b}f\u{7f}");
        assert_eq!(shown, "a<U+001B>[2Jb<U+202E>c<U+200B>d<U+000A>e<U+009B>f<U+007F>");
    }

    proptest! {
        #[test]
        fn nothing_hidden_remains_whatever_comes_in(text in any::<String>()) {
            prop_assert!(!visible(&text).contains(is_hidden));
        }
    }
}
