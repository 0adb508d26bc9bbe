//! Where policies come from: the shipped ones are part of the program, and a file with the same name in
//! `/etc/sysadm/policies` takes precedence. So `--policy spread` works even on a host on which nothing was installed.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::file::{self, FileChange};
use crate::model::Identifier;
use crate::paths::Paths;
use crate::policy::{Diagnostic, Policy, SHIPPED, parse};

/// Where a policy was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// It is part of the program.
    Shipped,
    /// In this file.
    File(PathBuf),
}

#[derive(Clone, Debug)]
pub struct Loaded {
    pub source: Source,
    /// Its text, unchanged.
    pub text: String,
    pub policy: Policy,
}

/// Why a policy could not be read, installed or removed.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// There is no policy with that name.
    #[error("no such policy: {name}")]
    Unknown {
        name: String,
        /// All existing names.
        known: Vec<String>,
    },
    /// A file or folder cannot be read.
    #[error("failed to read {path}")]
    Read { path: PathBuf, source: std::io::Error },
    /// The policy is not valid.
    #[error("{} cannot be used: it has {}", path.display(), count(.diagnostics))]
    Wrong {
        path: PathBuf,
        /// All of its errors.
        diagnostics: Vec<Diagnostic>,
    },
    /// The policy could not be installed or removed.
    #[error("failed to change the policy {path}")]
    Change { path: PathBuf, source: std::io::Error },
}

impl crate::model::Hinted for PolicyError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Unknown { known, .. } => vec![format!("choose one of: {}", known.join(", "))],
            _ => Vec::new(),
        }
    }
}

fn count(diagnostics: &[Diagnostic]) -> String {
    match diagnostics.len() {
        1 => "1 error".to_owned(),
        many => format!("{many} errors"),
    }
}

/// Reads the policy with that name.
pub fn load(paths: &Paths, name: &Identifier) -> Result<Loaded, PolicyError> {
    let path = paths.policies().join(format!("{name}.toml"));
    match read(&path) {
        Err(PolicyError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {}
        found => return found,
    }
    let Some((_, text)) = SHIPPED.iter().find(|(shipped, _)| *shipped == name.as_str()) else {
        let known = names(paths)?.iter().map(ToString::to_string).collect();
        return Err(PolicyError::Unknown { name: name.to_string(), known });
    };
    let policy = parse(text).map_err(|diagnostics| PolicyError::Wrong { path, diagnostics })?;
    Ok(Loaded { source: Source::Shipped, text: (*text).to_owned(), policy })
}

/// Reads the policy in that file.
pub fn read(path: &Path) -> Result<Loaded, PolicyError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| PolicyError::Read { path: path.to_owned(), source })?;
    match parse(&text) {
        Ok(policy) => Ok(Loaded { source: Source::File(path.to_owned()), text, policy }),
        Err(diagnostics) => Err(PolicyError::Wrong { path: path.to_owned(), diagnostics }),
    }
}

/// The names of all policies, shipped or not. Files whose names cannot be those of policies are ignored.
///
/// # Errors
/// If the folder cannot be read; a missing folder counts as empty.
pub fn names(paths: &Paths) -> Result<BTreeSet<Identifier>, PolicyError> {
    let folder = paths.policies();
    let failed = |source| PolicyError::Read { path: folder.clone(), source };
    let mut names: BTreeSet<Identifier> = SHIPPED.iter().filter_map(|(name, _)| name.parse().ok()).collect();
    let entries = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(names),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
        let file = entry.map_err(failed)?.file_name();
        let stem = file.to_str().and_then(|file| file.strip_suffix(".toml"));
        names.extend(stem.and_then(|stem| stem.parse().ok()));
    }
    Ok(names)
}

/// Installs the shipped policies, to be read and edited. Existing files are not overwritten.
///
/// # Errors
/// Names the first file that could not be written.
pub fn install(paths: &Paths) -> Result<Vec<(PathBuf, FileChange)>, PolicyError> {
    each(paths, |path, text, present| match present {
        Some(present) if present == text => Ok(FileChange::Unchanged),
        Some(_) => Ok(FileChange::Kept),
        None => write(path, text),
    })
}

/// Removes the shipped policies. Edited ones stay.
///
/// # Errors
/// Names the first file that could not be removed.
pub fn uninstall(paths: &Paths) -> Result<Vec<(PathBuf, FileChange)>, PolicyError> {
    let changes = each(paths, |path, text, present| match present {
        Some(present) if present == text => std::fs::remove_file(path).map(|()| FileChange::Removed),
        Some(_) => Ok(FileChange::Kept),
        None => Ok(FileChange::Absent),
    })?;
    // A folder that is empty now was created by us.
    let _ = std::fs::remove_dir(paths.policies());
    Ok(changes)
}

fn each(
    paths: &Paths,
    change: impl Fn(&Path, &str, Option<String>) -> std::io::Result<FileChange>,
) -> Result<Vec<(PathBuf, FileChange)>, PolicyError> {
    let one = |(name, text): &(&str, &str)| {
        let path = paths.policies().join(format!("{name}.toml"));
        let present = match std::fs::read(&path) {
            // A file that is not UTF-8 was not shipped.
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        match present.and_then(|present| change(&path, text, present)) {
            Ok(change) => Ok((path, change)),
            Err(source) => Err(PolicyError::Change { path, source }),
        }
    };
    SHIPPED.iter().map(one).collect()
}

fn write(path: &Path, text: &str) -> std::io::Result<FileChange> {
    if let Some(folder) = path.parent() {
        crate::folder::make(folder, 0o755)?;
    }
    match file::create(path, text, 0o644) {
        Ok(()) => Ok(FileChange::Installed),
        // A dangling symbolic link, which an administrator has made.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(FileChange::Kept),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> (tempfile::TempDir, Paths) {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::new(folder.path());
        (folder, paths)
    }

    fn changes(result: Result<Vec<(PathBuf, FileChange)>, PolicyError>) -> Vec<FileChange> {
        result.unwrap().into_iter().map(|(_, change)| change).collect()
    }

    fn name(text: &str) -> Identifier {
        text.parse().unwrap()
    }

    #[test]
    fn installing_never_changes_what_is_there_and_removing_takes_only_what_is_ours() {
        let (_folder, paths) = host();
        assert_eq!(changes(install(&paths)), [FileChange::Installed; 6]);
        assert_eq!(changes(install(&paths)), [FileChange::Unchanged; 6]);
        let edited = paths.policies().join("balance.toml");
        std::fs::write(&edited, b"\xffmine").unwrap();
        assert_eq!(changes(install(&paths))[..2], [FileChange::Kept, FileChange::Unchanged]);
        assert_eq!(changes(uninstall(&paths))[..2], [FileChange::Kept, FileChange::Removed]);
        assert_eq!(std::fs::read(&edited).unwrap(), b"\xffmine");
        assert_eq!(std::fs::read_dir(paths.policies()).unwrap().count(), 1);
        std::fs::remove_file(&edited).unwrap();
        std::os::unix::fs::symlink("/nowhere", &edited).unwrap();
        assert_eq!(changes(install(&paths))[..2], [FileChange::Kept, FileChange::Installed]);
        assert!(edited.is_symlink(), "a link is somebody's");
        uninstall(&paths).unwrap();
        std::fs::remove_file(edited).unwrap();
        assert_eq!(changes(uninstall(&paths)), [FileChange::Absent; 6]);
        assert!(!paths.policies().exists());
    }

    #[test]
    fn a_file_wins_over_the_shipped_policy_of_its_name() {
        let (_folder, paths) = host();
        assert_eq!(load(&paths, &name("pack")).unwrap().source, Source::Shipped);
        std::fs::create_dir_all(paths.policies()).unwrap();
        let path = paths.policies().join("pack.toml");
        std::fs::write(&path, "about = \"mine\"\n").unwrap();
        let loaded = load(&paths, &name("pack")).unwrap();
        assert_eq!(
            (loaded.source, loaded.policy.about.as_deref()),
            (Source::File(path.clone()), Some("mine"))
        );
        std::fs::write(&path, "about = 3\n").unwrap();
        assert!(
            matches!(load(&paths, &name("pack")), Err(PolicyError::Wrong { .. })),
            "the shipped one was taken"
        );
        std::fs::write(&path, b"\xff").unwrap();
        assert!(matches!(load(&paths, &name("pack")), Err(PolicyError::Read { .. })));
    }

    #[test]
    fn an_unknown_name_is_answered_with_all_that_are_known() {
        let (_folder, paths) = host();
        std::fs::create_dir_all(paths.policies()).unwrap();
        for file in ["mine.toml", "notes.txt", "a b.toml", ".hidden.toml", "spread.new"] {
            std::fs::write(paths.policies().join(file), "").unwrap();
        }
        assert_eq!(load(&paths, &name("spred")).unwrap_err().to_string(), "no such policy: spred");
        assert_eq!(load(&paths, &name("mine")).unwrap().policy, Policy::default());
    }
}
