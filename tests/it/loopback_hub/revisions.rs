//! The files of a revision, for those who may read them.

use super::exchange::Exchange;
use super::shared::{Access, Files, GOOD_TOKEN, commit, lock};

impl Exchange<'_> {
    /// Returns the files of a revision, or sends an error and returns `None`.
    pub fn permitted(&mut self, id: &str, revision: &str, file: bool) -> Option<Files> {
        let good = self.headers.get("authorization").map(String::as_str)
            == Some(&format!("Bearer {GOOD_TOKEN}"));
        let access = lock(&self.shared.repositories)
            .get(id)
            .map(|repository| repository.access);
        match access {
            Some(Access::Gated) if file && !good => {
                let status = if self.has_token() { 403 } else { 401 };
                self.refuse(status, "GatedRepo");
                return None;
            }
            // A missing repository and a private one look the same: no error code without a token, 404 with one.
            Some(Access::Private) if !good => {
                self.unknown_repository();
                return None;
            }
            None => {
                self.unknown_repository();
                return None;
            }
            Some(_) => {}
        }
        let files = self.version(id, revision);
        if files.is_none() {
            self.refuse(404, "RevisionNotFound");
        }
        files
    }

    fn unknown_repository(&mut self) {
        if self.has_token() {
            self.refuse(404, "RepoNotFound");
        } else {
            self.status(401, &[], b"Invalid username or password.");
        }
    }

    pub fn version(&self, id: &str, revision: &str) -> Option<Files> {
        let repositories = lock(&self.shared.repositories);
        let versions = &repositories.get(id)?.versions;
        let version = match revision {
            "main" | "refs/pr/1" => versions.last(),
            _ => versions.iter().find(|(commit, _)| commit == revision),
        };
        version.map(|(_, files)| files.clone())
    }

    pub fn commit(&self, files: &Files) -> String {
        let commit = commit(files);
        let claims = lock(&self.shared.claims);
        claims.get(&commit).cloned().unwrap_or(commit)
    }
}
