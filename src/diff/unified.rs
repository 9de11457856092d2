//! Two texts as a unified diff.
//!
//! In: the texts and their names. Out: text as `diff -u` has it, empty where they are equal. Knows
//! nothing of units.

use similar::udiff::UnifiedHunkHeader;
use similar::{DiffOp, group_diff_ops};

use crate::diff::directives::operations;

/// How many equal lines are shown around what differs.
const CONTEXT: usize = 3;

/// Returns how one text becomes another one, line by line.
#[must_use]
pub fn unified(before: (&str, &str), after: (&str, &str)) -> String {
    let (old_name, old) = before;
    let (new_name, new) = after;
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let new: Vec<&str> = new.split_inclusive('\n').collect();
    let mut text = String::new();
    for hunk in group_diff_ops(operations(&old, &new), CONTEXT) {
        if text.is_empty() {
            text = format!("--- {old_name}\n+++ {new_name}\n");
        }
        text.push_str(&format!("{}\n", UnifiedHunkHeader::new(&hunk)));
        for op in &hunk {
            if matches!(op, DiffOp::Equal { .. }) {
                lines(' ', &old[op.old_range()], &mut text);
            } else {
                lines('-', &old[op.old_range()], &mut text);
                lines('+', &new[op.new_range()], &mut text);
            }
        }
    }
    text
}

fn lines(mark: char, lines: &[&str], text: &mut String) {
    for line in lines {
        text.push(mark);
        text.push_str(line);
        if !line.ends_with('\n') {
            text.push_str("\n\\ No newline at end of file\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_diff_writes() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12";
        let new = old.replace("2\n3\n", "3\nb\n").replace("12", "12\n");
        let expected = "\
--- a
+++ b
@@ -1,6 +1,6 @@
 1
-2
 3
+b
 4
 5
 6
@@ -9,4 +9,4 @@
 9
 10
 11
-12
\\ No newline at end of file
+12
";
        assert_eq!(unified(("a", old), ("b", &new)), expected);
        assert_eq!(unified(("a", old), ("b", old)), "");
        assert_eq!(
            unified(("a", ""), ("b", "1\n")),
            "--- a\n+++ b\n@@ -0,0 +1 @@\n+1\n"
        );
    }
}
