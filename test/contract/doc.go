// Package contract holds the server to the wire contract of PortOne V1, as the clients that
// shops use understand it.
package contract
