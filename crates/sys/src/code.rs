//! The program's own code in memory.

use std::fs;
use std::io;
use std::path::Path;

/// Lets go of the pages of the program's code and constants that this process has touched so far.
///
/// Starting a Pod touches a good part of the program; waiting for it, next to nothing. The pages are those of the program
/// file, unchanged, so whatever is needed again comes back from the page cache. Only what this process counts as its
/// own memory (RSS, PSS) gets smaller. Returns the bytes of the mappings that were let go of.
///
/// # Errors
/// When `/proc/self` cannot be read.
pub fn release() -> io::Result<u64> {
    let program = fs::read_link("/proc/self/exe")?;
    let mut released = 0;
    for (start, length) in unchanged(&fs::read_to_string("/proc/self/smaps")?, &program) {
        // SAFETY: the range is a private mapping of the program file that has no page of its own (Anonymous is 0), is not
        // writable and is never made so: after this call its pages are read again from the very same file.
        let result =
            unsafe { libc::madvise(start as *mut libc::c_void, length, libc::MADV_DONTNEED) };
        if result == 0 {
            released += length as u64;
        }
    }
    Ok(released)
}

/// Start and length of the mappings of the program that cannot be written and were not changed, such as by relocations.
fn unchanged(smaps: &str, program: &Path) -> Vec<(usize, usize)> {
    let program = program.to_string_lossy();
    let mut found = Vec::new();
    let mut current = None;
    for line in smaps.lines() {
        if let Some(mapping) = header(line, &program) {
            current = mapping;
        } else if let Some(amount) = line.strip_prefix("Anonymous:") {
            let untouched = amount.trim().trim_end_matches("kB").trim() == "0";
            found.extend(current.take().filter(|_| untouched));
        }
    }
    found
}

/// The range of a mapping's first line; inside, `None` for a mapping that is not meant.
fn header(line: &str, program: &str) -> Option<Option<(usize, usize)>> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let start = usize::from_str_radix(start, 16).ok()?;
    let end = usize::from_str_radix(end, 16).ok()?;
    let meant = rest.starts_with("r-") && rest.contains("p ") && rest.ends_with(program);
    Some(meant.then(|| (start, end.saturating_sub(start))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_as_in_the_file_is_let_go_of() {
        let smaps = "\
7f00-7f10 r--p 00000000 08:01 1    /usr/bin/pillion
Size:     64 kB
Anonymous:             0 kB
7f10-7f20 r-xp 00010000 08:01 1    /usr/bin/pillion
Anonymous:             0 kB
7f20-7f30 r--p 00020000 08:01 1    /usr/bin/pillion
Anonymous:             8 kB
7f30-7f40 rw-p 00030000 08:01 1    /usr/bin/pillion
Anonymous:             0 kB
7f40-7f50 r--p 00000000 08:01 2    /usr/lib/other
Anonymous:             0 kB
";
        let found = unchanged(smaps, Path::new("/usr/bin/pillion"));
        assert_eq!(found, [(0x7f00, 0x10), (0x7f10, 0x10)]);
    }

    #[test]
    fn the_program_goes_on() {
        assert!(release().expect("released") > 0);
        assert_eq!(format!("{}", 40 + 2), "42");
    }
}
