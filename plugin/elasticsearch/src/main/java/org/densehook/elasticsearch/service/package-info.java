/** The encoders of a node: found, proven, served, reported. */
package org.densehook.elasticsearch.service;
