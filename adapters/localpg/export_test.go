package localpg

// Folders is where programs are looked for outside PATH.
var Folders = &folders
