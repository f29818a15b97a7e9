// Package body reads what a client sent into one neutral tree, and takes typed
// values out of that tree with precise refusals.
//
// # Reading
//
// [Parse] reads a request body and [ParseQuery] a query string. The content type
// is never asked: clients of both dialects send JSON as text/plain and forms
// without any type. The first character that is not blank decides: '{' or '['
// means JSON, anything else a form. Form names may use brackets
// (sender[name]=, imp_uid[]=, products[0][id]=) and may be repeated.
//
// Reading is strict where leniency would let two readers see two different
// requests. Refused are: a byte order mark, bytes that are not UTF-8, NUL (raw,
// %00 or \u0000), half a surrogate pair, the same key twice in one object,
// anything after the document, a document that is not an object, a bare ';' in a
// form, brackets used in two ways under one name, more than [DepthMax] levels,
// and more than [BytesMax] bytes. Keys are compared exactly; letter case is
// never folded.
//
// # Taking
//
// A [Fields] value hands out one named member at a time: text, won, numbers,
// times, switches, objects, lists. It never stops at the first fault: every
// fault is noted with the path of its field and a [Reason] in English and
// Korean, the getter returns the zero value, and [Fields.Err] reports them all.
// A caller must therefore ask Err before it acts on anything it took.
//
// A member that is absent and one that is null are the same to every getter,
// because clients send null for whatever they did not set; [Fields.IsNull] tells
// them apart where it matters. Members nobody asks for are ignored, with one
// exception: a key that differs from an asked one only in letter case is a
// fault, so that {"AMOUNT": 500} can never be taken for a request without an
// amount.
//
// Numbers are read from their exact text and never pass through floating point.
// Text comes out in Unicode normal form C, so that one order number has one
// spelling. Length is counted in Unicode code points.
package body
