// Package atna reads audit messages as IHE ATNA sends them: XML of DICOM PS3.15 A.5 (or the older RFC 3881) in syslog messages of RFC 5424,
// from files, datagrams and streams.
//
//	in := atna.NewFrames(file, atna.Longest)
//	for f, err := in.Next(); err != io.EOF; f, err = in.Next() {
//		reading, why := atna.Parse(f.Text)
//	}
//
// Real senders differ from the standards in small ways that are borne: octet counts that leave out a byte order mark or count letters,
// a mark before the XML or none, `code` for `csd-code`, messages over several lines.
//
// Sources: https://profiles.ihe.net/ITI/TF/Volume2/ITI-20.html, DICOM PS3.15 A.5, RFC 5424, 5425, 5426, 6587.
package atna
