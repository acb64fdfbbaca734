//! Which files on disk the hrefs of a catalogue name: no address of a network is ever followed.

use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;

/// A file on disk that `href` names, relative to `base`: as it is written where there is such a file, else with `%20` and its like read as
/// URLs have them. `file:` URLs of this machine are paths. Never another URL, never one of GDAL's virtual file systems.
///
/// # Errors
/// What the href is instead.
pub(super) fn local_path(href: &str, base: &Path) -> Result<PathBuf, String> {
    let written = match href.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) {
        None => href,
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("file") => of_this_machine(rest).ok_or_else(|| {
            format!("`{href}` is a file of another machine; only files on disk are read: copy it and give its path")
        })?,
        Some((scheme, rest)) if !rest.starts_with("//") => {
            return Err(format!(
                "`{href}` is neither a file on disk nor an address; if `{scheme}:` names a raster inside another file, make a GeoTIFF of it with \
                 gdal_translate, where you trust that file, and give its path"
            ));
        }
        Some((scheme, _)) => {
            return Err(format!(
                "`{href}` has the scheme `{scheme}:`; only files on disk are read: download it and give its path relative to the item"
            ));
        }
    };
    let as_written = plain_path(written, base)?;
    let decoded = percent_decode_str(written)
        .decode_utf8()
        .ok()
        .filter(|decoded| decoded != written);
    match decoded {
        Some(decoded) if std::fs::symlink_metadata(&as_written).is_err() => plain_path(&decoded, base),
        _ => Ok(as_written),
    }
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-._".contains(c))
}

/// The path of a `file:` URL without its scheme; `None` where it names another machine.
fn of_this_machine(rest: &str) -> Option<&str> {
    let Some(rest) = rest.strip_prefix("//") else {
        return Some(rest);
    };
    let (host, _) = rest.split_once('/')?;
    (host.is_empty() || host.eq_ignore_ascii_case("localhost")).then(|| &rest[host.len()..])
}

fn plain_path(path: &str, base: &Path) -> Result<PathBuf, String> {
    if path.starts_with("/vsi") || path.starts_with("\\\\") || path.starts_with("//") {
        return Err(format!(
            "`{path}` is not a plain path; only files on disk are read: give a path relative to the item"
        ));
    }
    if path.is_empty() || path.chars().any(char::is_control) || path.contains('<') {
        return Err(format!("`{}` is not a path", path.escape_debug()));
    }
    let joined = base.join(path);
    Ok(joined.components().filter(|part| *part != Component::CurDir).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_on_disk_are_named_in_many_ways() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path();
        for name in ["a one.tif", "b%20two.tif", "b two.tif", "\u{e9}.tif"] {
            std::fs::write(base.join(name), "").unwrap();
        }
        let whole = base.to_str().unwrap();
        let name = |href: &str| {
            let path = local_path(href, base).unwrap();
            path.strip_prefix(base).unwrap().display().to_string()
        };
        for (href, file) in [
            ("a one.tif".to_owned(), "a one.tif"),
            ("./a%20one.tif".into(), "a one.tif"),
            (format!("{whole}/a%20one.tif"), "a one.tif"),
            (format!("file://{whole}/a%20one.tif"), "a one.tif"),
            (format!("file://{whole}/a one.tif"), "a one.tif"),
            (format!("FILE://localhost{whole}/a%20one.tif"), "a one.tif"),
            (format!("file:{whole}/a%20one.tif"), "a one.tif"),
            ("file:a%20one.tif".into(), "a one.tif"),
            ("%C3%A9.tif".into(), "\u{e9}.tif"),
            // The literal name comes first.
            ("b%20two.tif".into(), "b%20two.tif"),
            // What is no code stays.
            ("100%.tif".into(), "100%.tif"),
            ("%FF.tif".into(), "%FF.tif"),
        ] {
            assert_eq!(name(&href), file, "{href}");
        }
    }

    #[test]
    fn what_is_no_file_on_disk_is_refused() {
        for (href, part) in [
            ("https://example.org/a.tif", "scheme `https:`"),
            ("s3://x/a.tif", "scheme `s3:`"),
            ("file://server/share/a.tif", "another machine"),
            ("file://server", "another machine"),
            ("file:///vsicurl/http://x/a.tif", "not a plain path"),
            ("file:////server/a.tif", "not a plain path"),
            ("%2Fvsicurl%2Fx", "not a plain path"),
            ("/vsizip/a.zip", "not a plain path"),
            ("a%00.tif", "is not a path"),
            ("a%0A.tif", "is not a path"),
            ("file://", "another machine"),
            ("file:", "is not a path"),
            ("NETCDF:a.nc:red", "a raster inside another file"),
            ("HDF5:\"a.h5\"://red", "a raster inside another file"),
            ("", "is not a path"),
        ] {
            let told = local_path(href, Path::new("/none")).unwrap_err();
            assert!(told.contains(part), "{href}: {told}");
        }
    }
}
