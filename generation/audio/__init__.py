"""The audio step: read, judge, measure, encode and label a take. Pure: bytes and arrays in, bytes and numbers out."""
