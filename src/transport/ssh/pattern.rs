//! Patterns of ssh_config(5): `*` is any text, `?` any character, and a leading `!` excludes.

use std::path::{Component, Path, PathBuf};

/// Whether a name matches one of these patterns, and is not excluded by another.
pub(super) fn among(patterns: &[impl AsRef<str>], name: &str) -> bool {
    let mut found = false;
    for pattern in patterns {
        let pattern = pattern.as_ref();
        match pattern.strip_prefix('!') {
            Some(pattern) if glob(pattern.as_bytes(), name.as_bytes()) => return false,
            Some(_) => {}
            None => found |= glob(pattern.as_bytes(), name.as_bytes()),
        }
    }
    found
}

/// Whether the pattern with `*` (any text) and `?` (any character) matches the text, ignoring case. No recursion,
/// so no pattern can take long.
pub(super) fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(byte) if *byte == b'?' || byte.eq_ignore_ascii_case(&text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                // The last star takes one character more.
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// The files that match a path with patterns, sorted by name. A folder that cannot be listed has none.
pub(super) fn files(path: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in path.components() {
        let name = part.as_os_str().to_string_lossy();
        if matches!(part, Component::Normal(_)) && name.contains(['*', '?']) {
            found = found.iter().flat_map(|folder| matching(folder, &name)).collect();
        } else {
            found.iter_mut().for_each(|path| path.push(part));
        }
    }
    found
}

/// The matching files in a folder. Hidden files only match a pattern that begins with a dot.
fn matching(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            glob(pattern.as_bytes(), name.as_bytes()) && (pattern.starts_with('.') || !name.starts_with('.'))
        })
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_and_exclude() {
        assert!(among(&["*.example.com", "!bad.example.com"], "a.example.com"));
        assert!(!among(&["*.example.com", "!bad.example.com"], "bad.example.com"));
        assert!(among(&["h?"], "H2") && !among(&["h?"], "h22") && among(&["*2*"], "h22"));
        assert!(!among(&[""], "h2") && !among(&["!h3"], "h2"));
    }

    #[test]
    fn a_path_with_patterns_stands_for_files_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.conf", "a.conf", ".hidden.conf", "c.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let names = |pattern: &str| -> Vec<_> {
            let files = files(&folder.path().join(pattern)).into_iter();
            files.map(|file| file.file_name().unwrap().to_string_lossy().into_owned()).collect()
        };
        assert_eq!(names("*.conf"), ["a.conf", "b.conf"]);
        assert_eq!(names("?.txt"), ["c.txt"]);
        assert_eq!(names("none"), ["none"]);
        assert_eq!(names("d*/x"), [""; 0]);
    }
}
