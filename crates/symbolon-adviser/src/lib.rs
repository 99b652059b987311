//! Session or JWT? Facts about one application in, the position of the dials with its reasons out.
