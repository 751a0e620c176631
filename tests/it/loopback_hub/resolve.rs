//! Answers to requests for a file: the address of its bytes, and the headers about them.

use super::exchange::Exchange;
use super::fault::Fault;
use super::shared::LARGE;

impl Exchange<'_> {
    /// Redirects to the bytes of a file.
    pub fn resolve(&mut self, id: &str, rest: &[&str]) {
        if self.method == "HEAD"
            && let Some(Fault::HeadStatus(status)) =
                self.fault(|fault| matches!(fault, Fault::HeadStatus(_)))
        {
            return self.status(status, &[], b"");
        }
        if self.method == "HEAD"
            && let Some(Fault::HeadRedirect(location)) =
                self.fault(|fault| matches!(fault, Fault::HeadRedirect(_)))
        {
            return self.redirect(location);
        }
        let (revision, file) = match rest {
            ["refs", "pr", number, file @ ..] => (format!("refs/pr/{number}"), file.join("/")),
            [revision, file @ ..] => ((*revision).to_owned(), file.join("/")),
            [] => return self.status(404, &[], b""),
        };
        let Some(files) = self.permitted(id, &revision, true) else {
            return;
        };
        let commit = self.commit(&files);
        let Some(content) = files.get(&file) else {
            return self.refuse(404, "EntryNotFound");
        };
        let size = content.bytes.len().to_string();
        if content.bytes.len() < LARGE {
            let etag = format!("\"{}\"", content.git_blob);
            let location = format!("/api/resolve-cache/models/{id}/{commit}/{file}");
            let headers = [
                ("Location", location.as_str()),
                ("X-Repo-Commit", &commit),
                ("ETag", &etag),
            ];
            self.status(307, &headers, b"");
        } else {
            let mut etag = format!("\"{}\"", content.sha256);
            let mut size = size;
            match self.fault(|fault| matches!(fault, Fault::EtagLie | Fault::SizeLie(_))) {
                Some(Fault::SizeLie(other)) => size = other.to_string(),
                Some(_) => etag = format!("\"{}\"", "../".repeat(21) + "x"),
                None => {}
            }
            let location = format!("http://{}/cdn/{id}/{commit}/{file}", self.cdn);
            let headers = [
                ("Location", location.as_str()),
                ("X-Repo-Commit", &commit),
                ("X-Linked-Etag", &etag),
                ("X-Linked-Size", &size),
            ];
            self.status(302, &headers, b"");
        }
    }
}
