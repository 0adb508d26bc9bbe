//! Expansions of ssh_config(5): `%h` and other tokens, `${VARIABLE}`, `~` and `~user`.

use std::path::{Path, PathBuf};

/// The values of tokens. A token without a value is an error when it is used.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known<'a> {
    /// `%d`, `~`: our home folder.
    pub home: Option<&'a Path>,
    /// `%h`: the host name that is looked up.
    pub host: Option<&'a str>,
    /// `%n`: the host as it was named.
    pub original: Option<&'a str>,
    /// `%k`: the alias under which its key is known, or as it was named.
    pub alias: Option<&'a str>,
    /// `%p`: the port there.
    pub port: Option<u16>,
    /// `%r`: the user there.
    pub user: Option<&'a str>,
    /// `%u`: the user here.
    pub own_user: Option<&'a str>,
}

/// Expands a word.
///
/// # Errors
/// The part that has no meaning.
pub(super) fn expand(word: &str, known: &Known<'_>) -> Result<String, String> {
    let mut text = String::new();
    let mut rest = word;
    while let Some(at) = rest.find(['%', '$']) {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        if let Some(name) = from.strip_prefix("${") {
            let (name, after) = name.split_once('}').ok_or_else(|| format!("\"{word}\": ${{ has no }}"))?;
            let value = std::env::var(name);
            text.push_str(&value.map_err(|_| format!("\"{word}\": the variable {name} is not set"))?);
            rest = after;
        } else if let Some(after) = from.strip_prefix('%') {
            let mut letters = after.chars();
            let token = letters.next().ok_or_else(|| format!("\"{word}\" ends with %"))?;
            let value =
                token_value(token, known).ok_or_else(|| format!("\"{word}\": unknown token %{token}"))?;
            text.push_str(&value);
            rest = letters.as_str();
        } else {
            text.push('$');
            rest = &from[1..];
        }
    }
    text.push_str(rest);
    Ok(text)
}

/// Expands a path, which may begin with `~` or `~user`.
///
/// # Errors
/// The part that has no meaning.
pub(super) fn expand_path(word: &str, known: &Known<'_>) -> Result<PathBuf, String> {
    let text = expand(word, known)?;
    let Some(rest) = text.strip_prefix('~') else { return Ok(PathBuf::from(text)) };
    let (user, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let home = match user {
        "" => known
            .home
            .map(Path::to_owned)
            .ok_or_else(|| format!("\"{word}\": the home directory is unknown, and HOME is not set"))?,
        user => account(|name, _| name == user)
            .map(|(_, home)| home)
            .ok_or_else(|| format!("\"{word}\": /etc/passwd has no home folder of {user}"))?,
    };
    Ok(if rest.is_empty() { home } else { home.join(rest.trim_start_matches('/')) })
}

fn token_value(token: char, known: &Known<'_>) -> Option<String> {
    let own = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    Some(match token {
        '%' => "%".to_owned(),
        'd' => known.home?.to_str()?.to_owned(),
        'h' => known.host?.to_owned(),
        'n' => known.original?.to_owned(),
        'k' => known.alias?.to_owned(),
        'p' => known.port?.to_string(),
        'r' => known.user?.to_owned(),
        'u' => known.own_user?.to_owned(),
        'i' => rustix::process::getuid().as_raw().to_string(),
        'l' => own(),
        'L' => own().split('.').next()?.to_owned(),
        // There is never a jump host.
        'j' => String::new(),
        'C' => {
            let what = format!("{}{}{}{}", own(), known.host?, known.port?, known.user?);
            let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, what.as_bytes());
            digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
        }
        _ => return None,
    })
}

/// The name and home folder of the user selected by name and number.
pub(super) fn account(is_the_one: impl Fn(&str, u32) -> bool) -> Option<(String, PathBuf)> {
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    passwd.lines().find_map(|line| {
        let fields: Vec<_> = line.split(':').collect();
        let (name, number, home) = (fields.first()?, fields.get(2)?.parse().ok()?, fields.get(5)?);
        (is_the_one(name, number) && !home.is_empty()).then(|| ((*name).to_owned(), PathBuf::from(home)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: Known<'static> = Known {
        home: None,
        host: Some("10.0.0.2"),
        original: Some("h2"),
        alias: Some("two"),
        port: Some(2200),
        user: Some("root"),
        own_user: Some("me"),
    };

    #[test]
    fn every_token_stands_for_what_it_stands_for_in_ssh() {
        let known = Known { home: Some(Path::new("/home/me")), ..KNOWN };
        let own = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let number = rustix::process::getuid().as_raw().to_string();
        for (word, text) in [
            ("%d/.ssh/id", "/home/me/.ssh/id"),
            ("%h-%n-%k-%p", "10.0.0.2-h2-two-2200"),
            ("%r@%u", "root@me"),
            ("100%%", "100%"),
            ("%i", &number),
            ("%l", &own),
            ("%L", own.split('.').next().unwrap()),
            ("a%jb", "ab"),
            ("$5", "$5"),
            ("é%%é", "é%é"),
        ] {
            assert_eq!(expand(word, &known).as_deref(), Ok(text), "{word}");
        }
        let hash = expand("%C", &known).unwrap();
        assert!(hash.len() == 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hash}");
        let path = std::env::var("PATH").unwrap();
        assert_eq!(expand("${PATH}/x", &known), Ok(format!("{path}/x")));
    }

    #[test]
    fn what_stands_for_nothing_is_an_error_that_names_it() {
        for (word, part) in [
            ("%x", "unknown token %x"),
            ("%d", "unknown token %d"),
            ("a%", "ends with %"),
            ("${SYSADM_NO_SUCH}", "the variable SYSADM_NO_SUCH is not set"),
            ("${PATH", "has no }"),
        ] {
            let error = expand(word, &KNOWN).unwrap_err();
            assert!(error.contains(part) && error.contains(word), "{error}");
        }
        assert!(expand_path("~/x", &KNOWN).unwrap_err().contains("HOME is not set"));
        assert!(
            expand_path("~nobody-at-all/x", &KNOWN).unwrap_err().contains("no home folder of nobody-at-all")
        );
    }

    #[test]
    fn a_home_folder_is_ours_or_that_of_the_user_who_is_named() {
        let known = Known { home: Some(Path::new("/home/me")), ..KNOWN };
        for (word, path) in [
            ("~", "/home/me"),
            ("~/.ssh/id", "/home/me/.ssh/id"),
            ("~//id", "/home/me/id"),
            ("~root", "/root"),
            ("~root/.ssh/id", "/root/.ssh/id"),
            ("/etc/%h~", "/etc/10.0.0.2~"),
        ] {
            assert_eq!(expand_path(word, &known), Ok(PathBuf::from(path)), "{word}");
        }
    }
}
