"""What handlers import from the toolkit of AWS's inference images: content types, codecs, errors. Own code."""
