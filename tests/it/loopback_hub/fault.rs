//! The faults of the loopback Hub.

/// A fault that the Hub can be told to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The API answers this status.
    ApiStatus(u16),
    /// The API accepts the connection and stays silent.
    ApiSilent,
    /// The API answers a login page.
    ApiPage,
    /// The API's answer is endless.
    ApiEndless,
    /// The API redirects, as `BlobRedirect` does.
    ApiRedirect(&'static str),
    /// The list of files has endless pages.
    ApiPages,
    /// The API's answer has 30 MB in fields that are not needed.
    ApiBloat,
    /// The API lists 900,000 files that do not exist.
    ApiManyFiles,
    /// The headers of the API's answer are endless.
    ApiHeaders,
    /// A large file is announced with this wrong size.
    SizeLie(u64),
    /// A large file is announced with a malformed digest.
    EtagLie,
    /// A HEAD request for a file redirects, as `BlobRedirect` does.
    HeadRedirect(&'static str),
    /// A HEAD request for a file is answered with this status.
    HeadStatus(u16),
    /// A request for the bytes is answered with this status and a short text.
    BlobStatus(u16),
    /// A request for the bytes is answered with 429 and this `Retry-After`.
    BlobLater(&'static str),
    /// The bytes have this `Content-Encoding`.
    BlobEncoded(&'static str),
    /// The bytes are as many as announced, but wrong.
    BlobGarbage,
    /// A web page with status 200 instead of the bytes.
    BlobPage,
    /// Half of the bytes, then the connection is closed.
    BlobCut,
    /// Half of the bytes, then silence.
    BlobStalls,
    /// The headers of the bytes, then silence.
    BlobSilent,
    /// The bytes come in parts, with pauses of 100 ms between them, which add up to 1.5 s.
    BlobSlow,
    /// The bytes are endless, despite the announced size.
    BlobEndless,
    /// An error with an endless page.
    BlobErrorEndless,
    /// A request for the bytes redirects to this address, or to itself if the address is empty.
    BlobRedirect(&'static str),
    /// A range is answered with the whole file.
    BlobWhole,
    /// A range is answered with as many bytes from the start of the file.
    RangeElsewhere,
    /// A range is answered with one byte too many.
    RangeLonger,
    /// The CDN refuses an address, as if its signature had expired.
    AddressExpired,
}
