// Package contract holds the server to the wire contract of PortOne V1 and V2, as the clients that
// shops use understand it.
package contract
