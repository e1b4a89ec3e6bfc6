"""The media types that the toolkit knows."""

JSON = "application/json"
CSV = "text/csv"
OCTET_STREAM = "application/octet-stream"
ANY = "*/*"
NPY = "application/x-npy"
NPZ = "application/x-npz"
#: bodies of these types reach the handler as text
UTF8_TYPES = [JSON, CSV]
