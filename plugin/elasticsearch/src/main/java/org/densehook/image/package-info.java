/** Image files: what they say before their pixels, and these, upright and in RGB. Plain Java. */
package org.densehook.image;
